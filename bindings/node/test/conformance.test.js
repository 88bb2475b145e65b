// SPDX-License-Identifier: MIT
'use strict';
// The conformance table: every file, every scenario. WEIR_CONFORMANCE says where it is;
// WEIR_MUST_FAIL=1 is for tables that were made wrong, of which each scenario must fail.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { runScenario } = require('./conformance/runner.js');

const folder = process.env.WEIR_CONFORMANCE ?? path.join(__dirname, '../../../tests/conformance');
const mustFail = process.env.WEIR_MUST_FAIL === '1';
const files = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.json') && name !== 'schema.json')
  .sort();

for (const file of files) {
  const table = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));
  for (const scenario of table.scenarios) {
    test(`${path.basename(file, '.json')}: ${scenario.name}`, async () => {
      const problems = await runScenario(scenario);
      if (mustFail) assert.notDeepEqual(problems, [], 'a wrong expectation was not noticed');
      else assert.deepEqual(problems, [], problems.join('\n'));
    });
  }
}
