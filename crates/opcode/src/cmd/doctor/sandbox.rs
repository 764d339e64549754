//! What of isolation this machine can do, and what each profile comes to here.
//!
//! Keeps: every line was found out by trying, as a step would.
//! Not here: what the profiles promise (`docs/security.md`).

use std::path::Path;

use opcode_model::{Profile, Value};
use opcode_sandbox::Exec;
use opcode_sandbox::policy::{self, Ability, Demand, Host, Mechanism, Rules};
use serde_json::{Map, Value as Json, json};

use super::Finding;

/// The profiles that ask something of the machine.
const ASKING: [Profile; 2] = [Profile::Isolated, Profile::Strict];

/// One finding for what is in force, one for each profile, one for each mechanism.
pub(super) async fn findings(program: &Path, rules: &Rules) -> Vec<Finding> {
    let exec = Exec::new(program, None);
    match exec.host().await {
        Ok(host) => {
            let mut found = vec![in_force(rules)];
            found.extend(ASKING.map(|profile| this_profile(profile, host, rules)));
            found.push(mechanisms(host));
            found
        }
        Err(fault) => {
            let text = fault.to_string();
            vec![
                Finding::new("sandbox", text.clone(), json!({"error": text}))
                    .cure("isolated steps will not work here"),
            ]
        }
    }
}

fn in_force(rules: &Rules) -> Finding {
    let (usual, least) = (rules.profile.max(rules.minimum), rules.minimum);
    let text = format!("{} unless a step says otherwise, {} at least", usual.text(), least.text());
    Finding::new("sandbox", text, json!({"profile": usual.text(), "minimum": least.text()}))
}

/// What a profile comes to, for a step that wishes nothing else.
fn this_profile(profile: Profile, host: &Host, rules: &Rules) -> Finding {
    let demand = Demand { profile, ..Demand::default() };
    match policy::plan(demand, host) {
        Ok(plan) => {
            let lacks: Vec<String> = plan
                .degraded
                .iter()
                .map(|it| format!("{} ({}): {}", it.mechanism.text(), it.reason, it.instead))
                .collect();
            let text = match lacks.as_slice() {
                [] => "whole".to_owned(),
                lacks => format!("{}, for want of {}", plan.effective.text(), lacks.join("; ")),
            };
            Finding::new(profile.text(), text, plan.record().as_ref().map_or(Json::Null, to_json))
        }
        Err(refused) => {
            let json = json!({"refused": refused.to_string()});
            let finding = Finding::new(profile.text(), refused.to_string(), json);
            match rules.profile.max(rules.minimum) {
                Profile::Strict => finding.cure("the server's own profile cannot be had here"),
                Profile::None | Profile::Process | Profile::Isolated => finding,
            }
        }
    }
}

fn mechanisms(host: &Host) -> Finding {
    let mut json = Map::new();
    let mut lines = Vec::new();
    for mechanism in Mechanism::ALL {
        let name = mechanism.text();
        let (line, works, how) = match host.ability(mechanism) {
            Some(Ability::Works(how)) if how.is_empty() => (name.to_owned(), true, ""),
            Some(Ability::Works(how)) => (format!("{name} ({how})"), true, how.as_str()),
            Some(Ability::Lacks(why)) => (format!("no {name} ({why})"), false, why.as_str()),
            None => (format!("no {name} (not tried)"), false, "not tried"),
        };
        lines.push(line);
        json.insert(name.to_owned(), json!({"works": works, "how": how}));
    }
    Finding::new("mechanisms", lines.join(", "), Json::Object(json))
}

fn to_json(value: &Value) -> Json {
    serde_json::from_str(&value.to_json()).unwrap_or_default()
}
