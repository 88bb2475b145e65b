// SPDX-License-Identifier: MIT
//! What was noted against what the table expects.

use std::sync::Arc;

use serde_json::{json, Map, Value as Json};
use weir::{Error, Settled, Status, Value};

use crate::world::{json_of, Fail, Noted, World};

/// A status in the table's words.
pub fn status_word(status: Status) -> String {
    match status {
        Status::OK => "ok".to_owned(),
        Status::INVALID => "invalid".to_owned(),
        Status::NO_MEMORY => "no_memory".to_owned(),
        Status::TIMED_OUT => "timed_out".to_owned(),
        Status::NO_TIME => "no_time".to_owned(),
        Status::NOT_FOUND => "not_found".to_owned(),
        Status::NOT_SUPPORTED => "not_supported".to_owned(),
        other => other.name().trim_start_matches("WEIR_E").to_lowercase(),
    }
}

/// The words of an enumeration: `HalfOpen` is `half_open`.
pub fn word(name: impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    word
}

fn fail_json(fail: &Fail) -> Json {
    json!({"code": fail.code, "message": fail.message, "domain": fail.domain})
}

/// What the table says of an error that stands in a list, or caused another.
pub fn error_json(error: &Error<Arc<Fail>>) -> Json {
    let mut json =
        json!({"status": status_word(error.status()), "message": error.report().message()});
    if let Some(fail) = error.failed() {
        json["error"] = fail_json(fail);
    }
    json
}

/// All that is known of a settlement, in the table's words.
pub fn settled_json(settled: Settled<Option<Value>, Arc<Fail>>) -> Json {
    let mut json = json!({
        "attempts": settled.attempts,
        "stop_reason": word(settled.stop),
        "statuses": settled.statuses.iter().map(|&s| status_word(s)).collect::<Vec<_>>(),
    });
    let error = match settled.result {
        Ok(value) => {
            json["status"] = json!("ok");
            json["channel"] = json!("value");
            json["value"] = json_of(value.as_ref());
            json["cancel_reason"] = json!("none");
            json["retry_after_ms"] = json!("off");
            return json;
        }
        Err(error) => error,
    };
    let report = error.report();
    json["status"] = json!(status_word(error.status()));
    json["channel"] =
        json!(if report.cancel() == weir::Cancel::None { "error" } else { "stopped" });
    json["message"] = json!(report.message());
    json["cancel_reason"] = json!(word(report.cancel()));
    json["final"] = json!(report.is_final());
    json["retry_after_ms"] =
        report.retry_after().map_or(json!("off"), |delay| json!(delay.as_millis() as u64));
    if let Some(fail) = error.failed() {
        json["error"] = fail_json(fail);
    }
    if let Some(value) = error.value() {
        json["value"] = json_of(Some(value));
    } else if error.status() == Status::EXHAUSTED {
        json["value"] = Json::Null;
    }
    if let Some(cause) = error.cause() {
        json["cause"] = error_json(cause);
    }
    let causes = error.errors().iter().map(|(index, error)| {
        let mut cause = error_json(error);
        cause["index"] = json!(index);
        cause
    });
    json["causes"] = causes.collect();
    if let Some(rejection) = error.rejection() {
        json["rejection"] = json!({
            "policy": word(rejection.policy()),
            "name": rejection.name(),
            "reason": word(rejection.reason()),
        });
    }
    json
}

/// Whether `actual` has all that `expected` names.
fn matches(expected: &Json, actual: &Json) -> bool {
    match (expected, actual) {
        (Json::Object(expected), Json::Object(actual)) => {
            let is_error = expected.contains_key("code");
            expected
                .iter()
                .all(|(key, value)| matches(value, actual.get(key).unwrap_or(&Json::Null)))
                && (!is_error || same_domain(expected, actual))
        }
        (Json::Array(expected), Json::Array(actual)) => {
            expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(expected, actual)| matches(expected, actual))
        }
        (Json::Number(expected), Json::Number(actual)) => expected.as_f64() == actual.as_f64(),
        _ => expected == actual,
    }
}

fn same_domain(expected: &Map<String, Json>, actual: &Map<String, Json>) -> bool {
    expected.get("domain").unwrap_or(&json!("user"))
        == actual.get("domain").unwrap_or(&json!("user"))
}

/// Compares a list that was noted; with `any_order` what is of one event has no order.
fn compare_list(world: &World<'_>, what: &str, expected: &[Json], noted: &Noted) {
    let any_order = world.scenario["any_order"] == json!(true);
    let mut left: Vec<_> = noted.iter().collect();
    for (position, expected) in expected.iter().enumerate() {
        let Some(&&(event, _)) = left.first() else {
            return world.problem(format!("{what} {position}: {expected} did not come"));
        };
        let found = left.iter().position(|(at, actual)| *at == event && matches(expected, actual));
        match found {
            Some(0) => drop(left.remove(0)),
            Some(found) if any_order => drop(left.remove(found)),
            _ => {
                let actual = &left[0].1;
                return world.problem(format!(
                    "{what} {position}: expected {expected}\n        got {actual}"
                ));
            }
        }
    }
    if let Some((_, actual)) = left.first() {
        world.problem(format!("{what}: {} too many, such as {actual}", left.len()));
    }
}

pub fn compare(world: &World<'_>) {
    let (settled, starts, inputs, stops) = {
        let notes = world.shared.notes();
        (notes.settled.clone(), notes.starts.clone(), notes.inputs.clone(), notes.stops.clone())
    };
    let none = Vec::new();
    let expected = world.scenario["expect"].as_array().unwrap_or(&none);
    compare_list(world, "settlement", expected, &settled);
    for (field, noted) in [("starts", &starts), ("inputs", &inputs), ("stops", &stops)] {
        for (leaf, expected) in world.scenario[field].as_object().into_iter().flatten() {
            let expected = expected.as_array().unwrap_or(&none);
            let noted = noted.get(leaf).cloned().unwrap_or_default();
            compare_list(world, &format!("{field} of {leaf}"), expected, &noted);
        }
    }
    let left = &world.scenario["left"];
    let stats = world.runtime.stats();
    for (field, actual) in [("calls", stats.live_calls), ("orphans", stats.orphans)] {
        if left[field].as_u64().unwrap_or(0) != actual {
            world.problem(format!("{actual} {field} are left"));
        }
    }
}
