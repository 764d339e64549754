//! Problems of definitions: each says what to do, and a fix that is offered cures it.
//!
//! Keeps: a mistake that people make stands here once, in one line.
//! Not here: what is a problem at all (the stories).

use serde_json::{Value as Json, json};

use crate::kit::Home;

/// One step that is well, with other members laid over it.
fn step(more: Json) -> Json {
    let mut step = json!({"id": "a", "action": "crypto.hash", "params": {"data": "x"}});
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    step
}

fn steps(more: Json) -> Json {
    json!({"steps": [step(more)]})
}

fn flow(kind: &str, config: Json) -> Json {
    json!({"steps": [{"id": "f", "type": kind, "config": config}]})
}

/// Definitions with a mistake each, in a step with branches, a body or a question.
fn flow_mistakes() -> Vec<Json> {
    let one = || json!([step(json!({}))]);
    vec![
        json!({"steps": [{"id": "f", "type": "condition"}]}),
        flow("condition", json!({"expression": "true", "branches": {"true": step(json!({}))}})),
        flow("condition", json!({"branches": {"true": []}})),
        flow("condition", json!({"engine": "jsonata", "expression": "1", "branches": {}})),
        flow("condition", json!({"engine": "expr", "expression": "inputs.x ===", "branches": {}})),
        flow("condition", json!({"engine": "jq", "expression": ".x | foo", "branches": {}})),
        flow("loop", json!({"over": "[1]", "body": []})),
        flow("loop", json!({"body": one()})),
        flow("loop", json!({"over": "[1]", "condition": "true", "body": one()})),
        flow(
            "loop",
            json!({"mode": "until", "condition": "true", "over": "[1]", "max_iter": 2,
            "body": one()}),
        ),
        json!({"steps": [{"id": "w", "type": "wait", "action": "crypto.hash",
            "config": {"duration": "1s"}}]}),
        flow("loop", json!({"over": "[1, 2]", "max_iter": 9, "body": one()})),
        flow("loop", json!({"over": "[1, 2]", "max_iter": 0, "body": one()})),
        flow("loop", json!({"over": "[1]", "concurrency": 1_000_000, "body": one()})),
        flow("loop", json!({"mode": "while", "condition": "true", "body": one()})),
        flow("parallel", json!({"branches": {}})),
        flow("parallel", json!({"branches": []})),
        flow("parallel", json!({"mode": "al", "branches": [one()]})),
        flow("wait", json!({})),
        flow("wait", json!({"duration": "soon"})),
        flow("wait", json!({"duration": "1s", "signal": "s"})),
        flow("reasoning", json!({"prompt_context": "q", "options": [{}]})),
        flow("reasoning", json!({"options": [{"id": "a"}, {"id": "a"}], "prompt_context": "q"})),
        flow("reasoning", json!({"options": ["a"], "fallback": "b", "prompt_context": "q"})),
    ]
}

/// Definitions with a mistake each, in the parameters of an action.
fn param_mistakes() -> Vec<Json> {
    vec![
        steps(json!({"params": "str"})),
        steps(json!({"params": {}})),
        steps(json!({"params": {"data": "x", "dta": "y"}})),
        steps(json!({"params": {"data": "x", "algorithm": "sha-256"}})),
        steps(json!({"params": {"data": "${{ inputs. }}"}})),
        steps(json!({"params": {"data": "${{ inputs.x "}})),
        steps(json!({"params": {"data": "${{ steps.b.hash }}"}})),
        steps(json!({"action": "http.get", "params": {"url": ["x"]}})),
        steps(json!({"action": "http.get", "params": {"url": "not a url"}})),
        steps(json!({"action": "workflow.log", "params": {"message": "${{ secrets.key }}"}})),
        steps(json!({"config": {}})),
        steps(json!({"params": {"data": "${{ foo.a }} ${{ bar.b }}"}})),
        steps(json!({"params": {"data": "${{ iter.item }}"}})),
        steps(json!({"action": "crypto.uuid", "params": {"x": 1}})),
        steps(json!({"action": "assert.schema",
            "params": {"data": "${{ inputs }}", "schema": {"type": "zz"}}})),
        steps(json!({"action": "shell.exec", "params": {"command": "a", "args": [null]}})),
        steps(
            json!({"action": "shell.exec", "params": {"command": "rm -- ${{inputs.x}}", "shell": true}}),
        ),
        steps(
            json!({"action": "shell.exec", "params": {"command": "${{inputs.x}}", "shell": true}}),
        ),
        steps(json!({"action": "shell.exec", "params": {"command": "sh",
            "args": ["-c", "a '${{inputs.x}}' \"b ${{inputs.x}}\""], "env": {"A": "1"}}})),
        steps(json!({"action": "shell.exec", "params": {"command": "python3",
            "args": ["-c", "print('${{inputs.x}}')"]}})),
        steps(
            json!({"action": "shell.exec", "params": {"command": "a", "args": ["${{secrets.K}}"]}}),
        ),
        steps(json!({"action": "fs.write", "params": {"path": "a", "content": "", "mode": "zz"}})),
        steps(json!({"action": "fs.list", "params": {"path": "a", "pattern": "["}})),
        steps(json!({"action": "http.get",
            "params": {"url": "http://a/", "auth": {"type": "bearer"}}})),
        steps(json!({"action": "http.get",
            "params": {"url": "http://a/", "auth": {"type": "basic"}}})),
        steps(json!({"action": "http.request",
            "params": {"url": "http://a/", "method": "BAD METHOD"}})),
    ]
}

/// Definitions with a mistake each.
fn mistakes() -> Vec<Json> {
    let one = || json!([step(json!({}))]);
    vec![
        json!([]),
        json!({"steps": [step(json!({"params": {"data": "${{ steps.z.hash }}"}})), step(json!({"id": "z"}))]}),
        json!({"name": "x"}),
        json!({"steps": []}),
        json!({"steps": {}}),
        json!({"steps": ["a"]}),
        json!({"steps": one(), "on_timeout": "susend"}),
        json!({"steps": one(), "on_timeout": "explode"}),
        json!({"steps": one(), "timeout": "10"}),
        json!({"steps": one(), "timeout": 10}),
        json!({"steps": one(), "timeout": "10us"}),
        json!({"steps": one(), "failure_mode": "brnch"}),
        json!({"steps": one(), "on_complete": "a"}),
        json!({"steps": one(), "inputs": []}),
        json!({"steps": one(), "input_schema": {"type": "objct"}}),
        json!({"steps": one(), "output_schema": {"properties": []}}),
        json!({"steps": one(), "tasks": []}),
        json!({"steps": one(), "output": "${{ secrets.key }}"}),
        json!({"steps": [step(json!({})), step(json!({}))]}),
        json!({"steps": [{"action": "crypto.hash", "params": {"data": "x"}}]}),
        json!({"steps": [{"id": "a"}]}),
        steps(json!({"id": "a b"})),
        steps(json!({"id": "a".repeat(300)})),
        steps(json!({"type": "acton"})),
        steps(json!({"action": "crypto.hsh"})),
        steps(json!({"action": "quite.else"})),
        steps(json!({"depends_on": ["bb"]})),
        steps(json!({"depends_on": ["a"]})),
        steps(json!({"depends_on": [1]})),
        steps(json!({"depends_on": "b"})),
        steps(json!({"depend_on": []})),
        steps(json!({"timeout": "1 minute"})),
        steps(json!({"condition": "inputs.x = 1"})),
        steps(json!({"condition": "stepz.a.b == 1"})),
        steps(json!({"condition": "x ? 1"})),
        steps(json!({"retry": {"max": "3"}})),
        steps(json!({"retry": {"max": -1}})),
        steps(json!({"retry": {"max": 50}})),
        steps(json!({"retry": {"max_attempts": 3}})),
        steps(json!({"retry": {"max": 1, "backoff": "exponental"}})),
        steps(json!({"retry": {"max": 1, "retry_on": ["TIMEOUT"]}})),
        steps(json!({"on_error": {"strategy": "ignor"}})),
        steps(json!({"on_error": {}})),
        steps(json!({"on_error": {"strategy": "fallback_step", "fallback_step": "z"}})),
        steps(json!({"on_error": {"strategy": "ignore", "fallback_step": "z"}})),
        steps(json!({"on_interrupted": "retri"})),
    ]
}

fn problems(home: &Home, definition: &Json) -> Vec<Json> {
    let file = home.file("d.json", &definition.to_string());
    let told = home.opcode(&["define", &file, "--name", "d", "--dry-run", "--json"]).json();
    let list = |key: &str| told[key].as_array().cloned().unwrap_or_default();
    [list("problems"), list("warnings")].concat()
}

/// A JSON Patch (RFC 6902) of the operations that fixes are made of.
fn patched(definition: &Json, fix: &Json) -> Json {
    let mut whole = definition.clone();
    for change in fix.as_array().unwrap() {
        let (base, key) = change["path"].as_str().unwrap().rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        match (whole.pointer_mut(base).unwrap(), change["op"].as_str().unwrap()) {
            (Json::Object(map), "remove") => drop(map.remove(&key).unwrap()),
            (Json::Object(map), _) => drop(map.insert(key, change["value"].clone())),
            (Json::Array(list), "remove") => drop(list.remove(key.parse().unwrap())),
            (Json::Array(list), _) => list[key.parse::<usize>().unwrap()] = change["value"].clone(),
            (other, _) => panic!("{base} is {other}"),
        }
    }
    whole
}

#[test]
fn every_mistake_of_one_text_is_told() {
    let home = Home::new();
    let told = problems(&home, &steps(json!({"params": {"data": "${{ foo.a }} ${{ bar.b }}"}})));
    let says = |word: &str| told.iter().any(|it| it["message"].as_str().unwrap().contains(word));
    assert!(says("`foo`") && says("`bar`"), "{told:?}");
    let output = json!({"x": "${{ 1 + }}", "y": "${{secrets.Z}}"});
    let one = step(json!({}));
    let told = problems(&home, &json!({"steps": [one], "output": output}));
    let places: Vec<&Json> = told.iter().map(|it| &it["path"]).collect();
    assert_eq!(places, ["/output/y", "/output/x"]);
    let literal = json!({"steps": [step(json!({}))], "output": {"k": "a $${{secrets.X}} b"}});
    assert_eq!(problems(&home, &literal), [Json::Null; 0], "an escaped text names no secret");
}

#[test]
fn triggers_are_told_to_be_none_where_they_stand() {
    let home = Home::new();
    let bare = json!({"steps": [step(json!({}))], "triggers": {"cron": "* * * * *"}});
    let beside = json!({"definition": {"steps": [step(json!({}))]}, "triggers": {"cron": "*"}});
    for definition in [bare, beside] {
        let told = problems(&home, &definition);
        assert_eq!((told.len(), &told[0]["path"]), (1, &json!("/triggers")), "{told:?}");
        assert!(told[0]["hint"].as_str().unwrap().contains("opcode run"), "{told:?}");
    }
}

#[test]
fn every_problem_says_what_to_do_and_every_fix_cures_it() {
    let home = Home::new();
    let mut fixes = 0;
    for definition in [mistakes(), param_mistakes(), flow_mistakes()].concat() {
        let found = problems(&home, &definition);
        assert!(!found.is_empty(), "nothing is wrong with {definition}");
        for problem in found {
            let hint = problem["hint"].as_str().unwrap_or_default();
            assert!(!hint.is_empty(), "{definition}: {problem} has no hint");
            if problem["fix"].is_array() {
                fixes += 1;
                let cured = patched(&definition, &problem["fix"]);
                let still = |left: &Json| left["message"] == problem["message"];
                assert!(!problems(&home, &cured).iter().any(still), "{problem} stays: {cured}");
            }
        }
    }
    assert!(fixes >= 30, "only {fixes} fixes were offered");
}

/// What was a warning once is an error, unless the server is told to be lenient; a template that is stored runs on.
#[test]
fn data_in_a_script_is_not_taken_in_any_more() {
    let home = Home::new();
    let definition = r#"{"inputs":{"x":"'; echo INJECTED; '"},"steps":[{"id":"a","action":"shell.exec",
        "params":{"command":"echo '${{inputs.x}}'","shell":true}}]}"#;
    let file = home.file("spliced.json", definition);
    for args in
        [&["run", &file][..], &["define", &file, "--name", "t"], &["define", &file, "--dry-run"]]
    {
        assert!(home.opcode(args).ended(2).err.contains("becomes part of the script"), "{args:?}");
    }
    home.opcode(&["define", &file, "--name", "t", "--lenient-shell"]).ended(0);
    let ran = home.opcode(&["run", "t", "--json"]).ended(0).json();
    assert!(ran["steps"]["a"]["output"]["stdout_raw"].as_str().unwrap().contains("\nINJECTED\n"));
    let cured = patched(
        &serde_json::from_str(definition).unwrap(),
        &problems(&home, &serde_json::from_str(definition).unwrap())[0]["fix"],
    );
    let file = home.file("cured.json", &cured.to_string());
    let ran = home.opcode(&["run", &file, "--json"]).ended(0).json();
    let told = &ran["steps"]["a"]["output"]["stdout_raw"];
    assert_eq!(told, "'; echo INJECTED; '\n", "as data, and nothing else");
}
