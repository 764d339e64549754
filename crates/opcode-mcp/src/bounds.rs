//! Keeps answers small: a large output is shown by its beginning, with where the whole of it is.
//!
//! Keeps: `output` never changes its type; it is there or it is not.
//! Not here: what is answered (`tools/`).

use serde_json::{Map, Value as Json};

/// Bytes of an output's JSON that are given whole.
const OUTPUT_BYTES: usize = 1_024;
/// Characters of a larger one that are shown.
const PREVIEW_CHARS: usize = 240;

/// Bounds the outputs of a run's result or status, and of its steps.
pub(crate) fn bound(result: &mut Json) {
    let Some(id) = result["workflow_id"].as_str().map(str::to_owned) else { return };
    if let Some(object) = result.as_object_mut() {
        shorten(object, "output", &format!("workflow://{id}/output"));
    }
    let Some(steps) = result.get_mut("steps").and_then(Json::as_object_mut) else { return };
    for (path, step) in steps {
        if let Some(step) = step.as_object_mut() {
            shorten(step, "output", &format!("workflow://{id}/steps/{path}/output"));
        }
    }
}

/// Bounds the payload of an event.
pub(crate) fn bound_event(event: &mut Json) {
    let place = format!("workflow://{}/events", event["workflow_id"].as_str().unwrap_or_default());
    if let Some(object) = event.as_object_mut() {
        shorten(object, "payload", &place);
    }
}

fn shorten(object: &mut Map<String, Json>, key: &str, uri: &str) {
    let Some(text) = object.get(key).map(Json::to_string) else { return };
    if text.len() <= OUTPUT_BYTES {
        return;
    }
    object.remove(key);
    let preview: String = text.chars().take(PREVIEW_CHARS).collect();
    object.insert(format!("{key}_preview"), preview.into());
    object.insert(format!("{key}_bytes"), text.len().into());
    object.insert(format!("{key}_uri"), uri.into());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_large_output_shows_its_beginning_and_where_it_is() {
        let large = "x".repeat(2_000);
        let mut result = json!({"workflow_id": "w", "output": {"a": large},
            "steps": {"s": {"output": [large]}, "t": {"output": 1}}});
        bound(&mut result);
        assert_eq!(result["output"], Json::Null);
        assert_eq!(result["output_bytes"], 2_008);
        assert_eq!(result["output_uri"], "workflow://w/output");
        assert_eq!(result["output_preview"].as_str().unwrap().len(), PREVIEW_CHARS);
        assert_eq!(result["steps"]["s"]["output_uri"], "workflow://w/steps/s/output");
        assert_eq!(result["steps"]["t"]["output"], 1);
    }
}
