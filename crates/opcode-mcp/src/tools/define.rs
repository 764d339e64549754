//! `opcode.define`: checks a definition and stores it as the next version of a template.
//!
//! Keeps: every problem at once, each with place, cause and cure; nothing is stored of a definition that cannot run.
//! Not here: what is a problem (`opcode-engine`).

use opcode_model::{Object, Value};
use opcode_runtime::{BESIDE, DefineRequest, Document, Role};
use serde_json::json;

use super::{Desk, Page, param, schema};
use crate::answer::{Answer, Refused};
use crate::args::Args;

pub(super) fn page() -> Page {
    Page {
        name: "opcode.define",
        title: "Define a workflow template",
        about: "Check a workflow definition and store it as the next version of a template. Returns every problem with place, cause and fix (JSON Patch); mend and call again. dry_run only checks.",
        input: schema(
            &["name", "definition", "agent_id"],
            json!({
                "name": param("string", ""),
                "definition": param("object", "{steps:[{id,action,params,depends_on}|{id,type,config}], inputs, output, timeout}; how: skill://opcode/references/definition.md"),
                "agent_id": param("string", ""),
                "description": param("string", ""),
                "input_schema": param("object", ""),
                "output_schema": param("object", ""),
                "triggers": param("object", ""),
                "dry_run": param("boolean", ""),
            }),
        ),
        output: &[("name", "string"), ("version", "string"), ("warnings", "array")],
        hints: [false, false, false, false],
    }
}

pub(super) async fn call(desk: &Desk<'_>, args: &Args) -> Result<Answer, Refused> {
    desk.may(Role::Agent, "opcode.define")?;
    let claimed = args.needed("agent_id")?;
    let request = DefineRequest {
        name: args.needed("name")?,
        description: args.text("description")?,
        definition: definition(args)?,
        agent_id: desk.caller.acts_as(Some(&claimed))?,
        dry_run: args.flag("dry_run")?,
    };
    let is_dry = request.dry_run;
    let defined = desk.engine.define(request).await.map_err(|error| {
        Refused::from(error).next("mend the problems and call opcode.define again")
    })?;
    let mut answer = json!({"name": defined.name, "version": defined.version});
    if !defined.warnings.is_empty() {
        answer["warnings"] = serde_json::to_value(&defined.warnings).unwrap_or_default();
    }
    if is_dry {
        answer["dry_run"] = true.into();
    }
    Ok(Answer::Object(answer))
}

/// The definition, with what stands beside it.
fn definition(args: &Args) -> Result<Value, Refused> {
    let written = args.object("definition")?;
    if written.is_null() {
        args.needed("definition")?;
    }
    // A file as the command line takes it: the definition stands inside, with its schemas.
    if written.find("steps").is_none() && written.find("definition").is_some() {
        return Ok(Document::read(&written).definition);
    }
    let mut wrapper = vec![("definition", written)];
    for name in BESIDE {
        wrapper.push((name, args.object(name)?));
    }
    let given = wrapper.into_iter().filter(|(_, value)| !value.is_null());
    let whole: Object = given.collect();
    Ok(Document::read(&Value::Object(whole)).definition)
}
