// SPDX-License-Identifier: MIT
'use strict';
// Goes through a scenario from moment to moment (tests/conformance/schema.json has the rules) and
// compares what was seen with what is expected.
const { World } = require('./world.js');
const steps = require('./steps.js');

async function endEvent(world) {
  await world.clock.settle();
  world.afterEvent?.();
  world.afterEvent = undefined;
  world.event++;
}

function due(world) {
  return world.agenda.find((entry) => entry.due <= world.now);
}

async function moment(world, at, script) {
  if (at > world.now) await world.clock.advance(at - world.now);
  await endEvent(world);
  while (script.length > 0 && script[0].at === at) {
    const step = script.shift();
    steps[step.do](world, step);
    await endEvent(world);
  }
  for (let entry = due(world); entry !== undefined; entry = due(world)) {
    world.complete(entry);
    await endEvent(world);
  }
}

function nextMoment(world, at, script, end) {
  const agenda = Math.min(...world.agenda.map((entry) => entry.due));
  const timer = Math.ceil(world.clock.now + world.clock.untilNext);
  const next = Math.min(script[0]?.at ?? Infinity, agenda, timer);
  return Math.min(next > at ? next : at + 1, end);
}

// An expected tree is contained in the seen one.
function contains(expected, seen) {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(seen) &&
      seen.length === expected.length &&
      expected.every((one, i) => contains(one, seen[i]))
    );
  }
  if (expected === null || typeof expected !== 'object') return expected === seen;
  if (seen === null || typeof seen !== 'object') return false;
  if (expected.code !== undefined && (expected.domain ?? 'user') !== seen.domain) return false;
  return Object.entries(expected).every(([name, value]) => contains(value, seen[name]));
}

// The first place where they differ; -1 if there is none. `of` gives what is compared.
function firstDifference(world, expected, seen, of) {
  const taken = new Set();
  const anyOrder = world.scenario.any_order === true;
  for (let i = 0; i < Math.min(expected.length, seen.length); i++) {
    const fits = (j) =>
      !taken.has(j) && seen[j].event === seen[i].event && contains(expected[i], of(seen[j]));
    let place = fits(i) ? i : -1;
    for (let j = 0; anyOrder && place < 0 && j < seen.length; j++) if (fits(j)) place = j;
    if (place < 0) return i;
    taken.add(place);
  }
  return expected.length === seen.length ? -1 : Math.min(expected.length, seen.length);
}

function compare(world) {
  const { expect, left = {} } = world.scenario;
  const at = firstDifference(world, expect, world.settled, (entry) => entry);
  if (at >= 0) {
    world.problem(
      `expected ${JSON.stringify(expect[at])}\n    but saw ${JSON.stringify(world.settled[at])}`,
    );
  }
  for (const what of ['starts', 'inputs', 'stops']) {
    for (const [name, wanted] of Object.entries(world.scenario[what] ?? {})) {
      const notes = world.leaves.get(name)?.[what] ?? [];
      if (firstDifference(world, wanted, notes, (note) => note.value) >= 0) {
        const saw = notes.map((note) => note.value);
        world.problem(
          `${what} of ${name}: expected ${JSON.stringify(wanted)}, saw ${JSON.stringify(saw)}`,
        );
      }
    }
  }
  const { liveCalls, orphans } = world.runtime.stats;
  if (liveCalls !== (left.calls ?? 0) || orphans !== (left.orphans ?? 0)) {
    world.problem(`left are ${liveCalls} calls and ${orphans} orphans`);
  }
}

/** What is wrong with this scenario: a list of sentences, empty if nothing is. */
async function runScenario(scenario) {
  const world = new World(scenario);
  const script = [...scenario.script];
  for (const name of Object.keys(scenario.scopes ?? {})) world.need(name);
  for (const part of ['policies', 'caches', 'flights', 'operations']) {
    for (const name of Object.keys(scenario[part] ?? {})) world.need(name);
  }
  for (let at = 0; ;) {
    await moment(world, at, script);
    if (at >= scenario.end_ms) break;
    at = nextMoment(world, at, script, scenario.end_ms);
  }
  if (script.length > 0) world.problem('the script goes on behind end_ms');
  compare(world);
  await world.close();
  return world.problems;
}

module.exports = { runScenario };
