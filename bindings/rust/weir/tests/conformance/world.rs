// SPDX-License-Identifier: MIT
//! One scenario's world: the runtime, the agenda of completions, what was noted, and how time goes.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::{json, Value as Json};
use weir::{testing, Attempt, Cancel, Class, Completer, Operation, Value};

use crate::build::Things;
use crate::compare;

/// A value of the table; what the values of weir hold, in an Arc.
#[derive(Debug, PartialEq)]
pub struct Data(pub Json);

impl weir::Key for Data {
    fn key(&self) -> std::borrow::Cow<'_, [u8]> {
        std::borrow::Cow::Owned(self.0.to_string().into_bytes())
    }
}

/// A user's error of the table.
#[derive(Debug)]
pub struct Fail {
    pub code: i64,
    pub message: String,
    pub domain: String,
}

impl Fail {
    pub fn of(json: &Json) -> Arc<Fail> {
        Arc::new(Fail {
            code: json["code"].as_i64().expect("errors have codes"),
            message: json["message"].as_str().unwrap_or("").to_owned(),
            domain: json["domain"].as_str().unwrap_or("user").to_owned(),
        })
    }
}

pub type Op = Operation<Option<Value>, Arc<Fail>>;
pub type Outcome = Result<Option<Value>, Arc<Fail>>;

pub fn value_of(json: &Json) -> Option<Value> {
    match json {
        Json::Null => None,
        Json::Array(items) => Some(Value::from_list(items.iter().map(value_of)).expect("memory")),
        other => Some(Value::shared(Arc::new(Data(other.clone()))).expect("memory")),
    }
}

/// What a value is in the table; an item that failed is an object of its status and error.
pub fn json_of(value: Option<&Value>) -> Json {
    let Some(value) = value else { return Json::Null };
    if let Some(data) = value.take::<Arc<Data>>() {
        return data.0.clone();
    }
    if let Some(bytes) = value.bytes() {
        return Json::String(String::from_utf8_lossy(bytes).into_owned());
    }
    let items = weir::flow::results::<Option<Value>, Arc<Fail>>(value);
    let item = |item: Result<Option<Value>, weir::Error<Arc<Fail>>>| match item {
        Ok(value) => json_of(value.as_ref()),
        Err(error) => compare::error_json(&error),
    };
    Json::Array(items.into_iter().map(item).collect())
}

pub fn domain(word: &str) -> u32 {
    match word {
        "weir" => weir::sys::WEIR_DOMAIN_WEIR,
        "errno" => weir::sys::WEIR_DOMAIN_ERRNO,
        "uv" => weir::sys::WEIR_DOMAIN_UV,
        "http" => weir::sys::WEIR_DOMAIN_HTTP,
        "grpc" => weir::sys::WEIR_DOMAIN_GRPC,
        "curl" => weir::sys::WEIR_DOMAIN_CURL,
        _ => weir::sys::WEIR_DOMAIN_USER,
    }
}

pub fn class(word: &str) -> Class {
    match word {
        "success" => Class::Success,
        "failure" => Class::Failure,
        "refusal" => Class::Refusal,
        "ignore" => Class::Ignore,
        "abandon" => Class::Abandon,
        other => panic!("no class {other}"),
    }
}

/// Something noted, and in which event.
pub type Noted = Vec<(usize, Json)>;

#[derive(Default)]
pub struct Notes {
    pub event: usize,
    pub settled: Noted,
    pub starts: HashMap<String, Noted>,
    pub inputs: HashMap<String, Noted>,
    pub stops: HashMap<String, Noted>,
    pub problems: Vec<String>,
    agenda: Vec<Entry>,
    entries: u64,
    started: HashMap<String, usize>,
}

/// An attempt that waits for its time.
struct Entry {
    id: u64,
    leaf: String,
    due_ms: Option<u64>,
    fate: Json,
    result: Option<Value>,
    attempt: Attempt,
    /// Of an async function: its future waits for it.
    gate: Option<Arc<Gate>>,
    /// Of a function that is not told to stop.
    completer: Option<Completer<Option<Value>, Arc<Fail>>>,
    stop_noted: bool,
}

#[derive(Default)]
struct Gate(Mutex<(Option<Outcome>, Option<Waker>)>);

/// What leaves share with the world.
#[derive(Clone)]
pub struct Shared {
    notes: Arc<Mutex<Notes>>,
    runtime: weir::Runtime,
    start: Duration,
}

impl Shared {
    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn now_ms(&self) -> u64 {
        (self.runtime.now() - self.start).as_millis() as u64
    }

    /// Notes the begin of an attempt, and puts it on the agenda; says which entry it is.
    fn begin(&self, leaf: &str, definition: &Json, attempt: Attempt) -> (u64, Arc<Gate>) {
        let now = self.now_ms();
        let fates = definition["attempts"].as_array().expect("a leaf has fates");
        let input = json_of(attempt.input());
        let mut notes = self.notes();
        let started = notes.started.entry(leaf.to_owned()).or_insert(0);
        let position = match definition["by"].as_str() {
            Some("start") => *started,
            Some("index") => attempt.index() as usize,
            _ => attempt.number() as usize - 1,
        };
        *started += 1;
        let fate = fates[position.min(fates.len() - 1)].clone();
        let never = fate["never"] == json!(true);
        let due_ms = (!never).then(|| now + fate["after_ms"].as_u64().unwrap_or(0));
        let result = if fate["echo"] == json!(true) {
            attempt.input().cloned()
        } else if let Some(key) = fate["scope_value"].as_str() {
            attempt.scope().and_then(|scope| match scope.get_i64(key) {
                Some(number) => value_of(&json!(number)),
                None => scope.get_value(key),
            })
        } else {
            value_of(&fate["value"])
        };
        let event = notes.event;
        notes.starts.entry(leaf.to_owned()).or_default().push((event, json!(now)));
        notes.inputs.entry(leaf.to_owned()).or_default().push((event, input));
        notes.entries += 1;
        let (id, gate) = (notes.entries, Arc::new(Gate::default()));
        notes.agenda.push(Entry {
            id,
            leaf: leaf.to_owned(),
            due_ms,
            fate,
            result,
            attempt,
            gate: Some(Arc::clone(&gate)),
            completer: None,
            stop_noted: false,
        });
        (id, gate)
    }

    /// Takes an entry off the agenda, as its attempt was told to stop.
    fn stop(&self, id: u64) {
        let now = self.now_ms();
        let mut notes = self.notes();
        let Some(at) = notes.agenda.iter().position(|entry| entry.id == id) else { return };
        let entry = notes.agenda.remove(at);
        let event = notes.event;
        notes.stops.entry(entry.leaf.clone()).or_default().push((event, json!(now)));
        drop(notes);
        drop(entry);
    }

    /// The user's function: an async one, or, if an attempt goes on though it should stop, one that hands
    /// a completer on, since futures that should stop are dropped.
    pub fn leaf(&self, name: &str, definition: &Json) -> Result<Op, weir::Invalid> {
        let (shared, name, definition) = (self.clone(), name.to_owned(), definition.clone());
        let goes_on = definition["attempts"]
            .as_array()
            .is_some_and(|fates| fates.iter().any(|fate| fate["on_cancel"] == "ignore"));
        let runtime = self.runtime.clone();
        if goes_on {
            return Operation::from_completer(&runtime, move |completer: Completer<_, _>| {
                let (id, _) = shared.begin(&name, &definition, completer.attempt().clone());
                let mut notes = shared.notes();
                let entry = notes.agenda.iter_mut().find(|entry| entry.id == id);
                let entry = entry.expect("it has just begun");
                entry.gate = None;
                entry.completer = Some(completer);
            });
        }
        Operation::cloning(&runtime, move |attempt| {
            let (id, gate) = shared.begin(&name, &definition, attempt);
            Waits { shared: shared.clone(), id, gate }
        })
    }
}

/// The future of an async leaf.
struct Waits {
    shared: Shared,
    id: u64,
    gate: Arc<Gate>,
}

impl Future for Waits {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut gate = self.gate.0.lock().expect("nothing panics here");
        match gate.0.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                gate.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.shared.stop(self.id);
    }
}

impl Entry {
    fn complete(self) {
        let fate = &self.fate;
        if let Some(word) = fate["class"].as_str() {
            self.attempt.judge(class(word));
        }
        if fate["final"] == json!(true) {
            self.attempt.give_up();
        }
        if let Some(delay) = fate["retry_after_ms"].as_u64() {
            self.attempt.retry_after(Duration::from_millis(delay));
        }
        let outcome = match &fate["error"] {
            Json::Null => Ok(self.result),
            error => {
                let fail = Fail::of(error);
                self.attempt.code(domain(&fail.domain), fail.code);
                self.attempt.message(fail.message.clone());
                Err(fail)
            }
        };
        if let Some(completer) = self.completer {
            completer.complete_shared(outcome);
        } else if let Some(gate) = self.gate {
            let mut gate = gate.0.lock().expect("nothing panics here");
            gate.0 = Some(outcome);
            let waker = gate.1.take();
            drop(gate);
            waker.expect("a leaf waits").wake();
        }
    }
}

pub struct World<'a> {
    pub runtime: testing::Runtime,
    pub shared: Shared,
    pub scenario: &'a Json,
    pub things: Things,
}

/// Plays a scenario; says what went wrong.
pub fn play(scenario: &Json) -> Vec<String> {
    let caught = std::panic::catch_unwind(|| {
        let mut world = World::new(scenario);
        world.live();
        compare::compare(&world);
        world.end()
    });
    caught.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        vec![format!("panicked: {}", text.unwrap_or_default())]
    })
}

impl<'a> World<'a> {
    fn new(scenario: &'a Json) -> World<'a> {
        let given = &scenario["runtime"];
        let options = weir::runtime::Options {
            seed: given["seed"].as_u64().unwrap_or(1),
            max_in_flight: given["max_in_flight"].as_u64(),
            ..Default::default()
        };
        let runtime = testing::Runtime::with(options).expect("legal options");
        let shared = Shared {
            notes: Arc::default(),
            start: runtime.now(),
            runtime: weir::Runtime::clone(&runtime),
        };
        let mut world = World { runtime, shared, scenario, things: Things::default() };
        world.build_all();
        world
    }

    pub fn problem(&self, text: impl Into<String>) {
        self.shared.notes().problems.push(text.into());
    }

    fn end_event(&self) {
        self.runtime.run_until_idle();
        self.note_stops();
        self.shared.notes().event += 1;
    }

    /// Attempts that go on though they should stop know it only if they ask.
    fn note_stops(&self) {
        let now = self.shared.now_ms();
        let mut notes = self.shared.notes();
        let event = notes.event;
        let mut told = Vec::new();
        for entry in &mut notes.agenda {
            let stopped = entry.attempt.cancelled() != Cancel::None;
            if entry.completer.is_some() && stopped && !entry.stop_noted {
                entry.stop_noted = true;
                told.push((entry.leaf.clone(), entry.fate["on_cancel"] != "ignore", entry.id));
            }
        }
        for (leaf, finishes, id) in told {
            notes.stops.entry(leaf).or_default().push((event, json!(now)));
            if finishes {
                let at = notes.agenda.iter().position(|entry| entry.id == id);
                let entry = notes.agenda.remove(at.expect("it is on it"));
                drop(notes);
                drop(entry); // the completer's end
                self.runtime.run_until_idle();
                notes = self.shared.notes();
            }
        }
    }

    fn next_due(&self) -> Option<u64> {
        self.shared.notes().agenda.iter().filter_map(|entry| entry.due_ms).min()
    }

    fn complete_one(&self, moment: u64) -> bool {
        let mut notes = self.shared.notes();
        let due = |entry: &Entry| entry.due_ms.is_some_and(|due| due <= moment);
        let Some(at) = notes.agenda.iter().position(due) else { return false };
        let entry = notes.agenda.remove(at);
        drop(notes);
        entry.complete();
        true
    }

    fn next_timer(&self) -> Option<u64> {
        let next = self.runtime.next_timer()?;
        let after = next.saturating_sub(self.shared.start);
        Some(after.as_nanos().div_ceil(1_000_000) as u64)
    }

    fn live(&mut self) {
        let script = self.scenario["script"].as_array().expect("a scenario has a script");
        let end = self.scenario["end_ms"].as_u64().expect("a scenario has an end");
        let mut steps = script.iter().peekable();
        let at = |step: &&Json| step["at"].as_u64().expect("a step has a time");
        let mut moment = 0;
        loop {
            let now = self.shared.now_ms();
            self.runtime.advance(Duration::from_millis(moment - now));
            self.end_event();
            while steps.peek().map(at) == Some(moment) {
                self.step(steps.next().expect("it was seen"));
                self.end_event();
            }
            while self.complete_one(moment) {
                self.end_event();
            }
            if moment == end {
                break;
            }
            let nexts = [steps.peek().map(at), self.next_due(), self.next_timer()];
            let next = nexts.into_iter().flatten().min().unwrap_or(end);
            moment = next.max(moment + 1).min(end);
        }
        if steps.peek().is_some() {
            self.problem("the script goes on behind end_ms");
        }
    }

    /// Nothing is left behind.
    fn end(self) -> Vec<String> {
        let notes = self.shared.notes.clone();
        self.runtime.close();
        self.runtime.run_until_idle();
        loop {
            let mut left = self.shared.notes();
            let Some(entry) = left.agenda.pop() else { break };
            drop(left);
            drop(entry);
            self.runtime.run_until_idle();
        }
        drop(self);
        let problems = std::mem::take(&mut notes.lock().expect("nothing panics here").problems);
        problems
    }
}
