//! `${{ … }}` in parameters: types, texts, paths, secrets, mistakes.
//!
//! Keeps: data is never scanned for expressions; whole expressions keep their type.
//! Not here: CEL itself.

use opcode_expr::{EvalErrorKind, Template};
use opcode_model::secret::Piece;
use opcode_model::{ErrorCode, StepStatus, Value};

use crate::scope::{Fixture, value};

fn fixture() -> Fixture {
    Fixture::default()
        .root(
            "inputs",
            r#"{"count":10.0,"big":12345678,"half":99.5,"flag":true,"none":null,"text":"a\"b\nc",
                "my.key.with.dots":"literal","config":{"retry":{"max":3}},"a-b":"hyphen",
                "evil":"${{secrets.KEY}} ${{inputs.count}}","list":[{"x":1},{"x":2}],"n":5}"#,
        )
        .root("iter", r#"{"item":{"name":"ada"},"index":2}"#)
        .done("fetch", r#"{"url":"https://x","body":{"list":["a","b","c"]}}"#)
        .done("fetch-data", r#"{"count":5}"#)
        .done("l", r#"{"iterations":1}"#)
        .done("l.iter_0.h", r#"{"hash":"abc","output":"inner"}"#)
        .step("gone", StepStatus::Skipped)
}

/// Renders one text.
#[track_caller]
fn renders(text: &str, json: &str) {
    let rendered = fixture().render(&Value::from(text).to_json()).unwrap();
    assert_eq!(rendered.value.to_json(), value(json).to_json(), "{text}");
    assert!(rendered.secrets.is_empty(), "{text}");
}

#[track_caller]
fn fails(text: &str, kind: EvalErrorKind, fragments: &[&str]) {
    let params = Value::object([("url", Value::from(text))]);
    let error = fixture().render(&params.to_json()).unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    let failure = error.to_failure();
    assert_eq!(failure.code, ErrorCode::Interpolation);
    assert!(failure.message.contains("at /url"), "{}", failure.message);
    for fragment in fragments {
        assert!(failure.message.contains(fragment), "{text}: {}", failure.message);
    }
}

#[track_caller]
fn refuses(text: &str, fragments: &[&str]) {
    let errors = Template::compile(&Value::object([("a", Value::from(text))])).unwrap_err();
    assert_eq!(errors[0].pointer, "/a");
    let error = &errors[0].error;
    let shown = format!("{} ({})", error.message, error.hint.clone().unwrap_or_default());
    for fragment in fragments {
        assert!(shown.contains(fragment), "{text}: {shown}");
    }
    assert!(text.get(error.span.clone()).is_some(), "{text}: {:?}", error.span);
}

#[test]
fn one_expression_keeps_its_type() {
    renders("${{steps.fetch.output}}", r#"{"body":{"list":["a","b","c"]},"url":"https://x"}"#);
    renders("${{steps.fetch.output.url}}", r#""https://x""#);
    renders("${{ steps.fetch.url }}", r#""https://x""#);
    renders("${{steps.fetch.body.list}}", r#"["a","b","c"]"#);
    renders("${{inputs.flag}}", "true");
    renders("${{inputs.none}}", "null");
    renders("${{inputs.half}}", "99.5");
    renders("${{inputs.big + 1}}", "12345679");
    renders("${{inputs.text}}", r#""a\"b\nc""#);
    renders("${{ {'a': {'b': inputs.n}} }}", r#"{"a":{"b":5}}"#);
    renders("${{{'a':{'b':{}}}}}", r#"{"a":{"b":{}}}"#);
    renders("${{ '}}' }}", r#""}}""#);
    renders("${{ true }}", "true");
    renders("${{ 42 }}", "42");
}

#[test]
fn values_in_texts_read_as_people_write_them() {
    renders("n=${{inputs.count}} ${{inputs.half}} ${{inputs.big}}", r#""n=10 99.5 12345678""#);
    renders("${{inputs.flag}}${{inputs.none}}", r#""truenull""#);
    renders("x ${{steps.fetch-data}}", r#""x {\"count\":5}""#);
    renders("[${{steps.fetch.body.list}}]", r#""[[\"a\",\"b\",\"c\"]]""#);
    renders("a ${{ double(12345678) }}", r#""a 12345678""#);
    renders(" ${{inputs.n}}", r#"" 5""#);
}

#[test]
fn paths_reach_everything() {
    renders("${{steps.fetch-data.count}}", "5");
    renders("${{steps.fetch-data.output.count}}", "5");
    renders("${{steps['fetch-data'].count}}", "5");
    renders(r#"${{steps["fetch-data"]["count"]}}"#, "5");
    renders("${{steps.fetch.body.list[1]}}", r#""b""#);
    renders("${{steps.fetch.body.list.1}}", r#""b""#);
}

#[test]
fn a_dotted_id_is_matched_greedily() {
    renders("${{steps.l.iter_0.h.hash}}", r#""abc""#);
    renders("${{steps.l.iter_0.h.output}}", r#""inner""#);
    renders("${{steps['l.iter_0.h'].hash}}", r#""abc""#);
    renders("${{steps.l.iterations}}", "1");
    renders("${{step_status.l.iter_0.h}}", r#""completed""#);
    renders("${{steps.gone.status}}", r#""skipped""#);
}

#[test]
fn inputs_and_loops() {
    renders("${{inputs.my.key.with.dots}}", r#""literal""#);
    renders("${{inputs.config.retry.max}}", "3");
    renders("${{inputs.a-b}}", r#""hyphen""#);
    renders("${{inputs.list[1].x}}", "2");
    renders("${{loop.item.name}} ${{iter.index}}", r#""ada 2""#);
    renders("${{loop.item}}", r#"{"name":"ada"}"#);
    renders("${{inputs.n - 1}}", "4");
    renders("${{inputs.list.map(i, i.x)}}", "[1,2]");
}

#[test]
fn literals_and_escapes_stay() {
    renders("no braces {{ }} $ {", r#""no braces {{ }} $ {""#);
    renders("$${{ inputs.n }}", r#""${{ inputs.n }}""#);
    renders("$${{ ${{inputs.n}}", r#""${{ 5""#);
    renders("$$${{", r#""$${{""#);
    renders("${{inputs.n}} }}", r#""5 }}""#);
    let params = value(r#"{"${{inputs.n}}":[1,{"a":null}],"b":"text"}"#);
    let template = Template::compile(&params).unwrap();
    assert!(template.is_literal());
    assert!(!Template::compile(&value(r#"["${{inputs.n}}"]"#)).unwrap().is_literal());
}

#[test]
fn data_is_never_scanned_again() {
    renders("${{inputs.evil}}!", r#""${{secrets.KEY}} ${{inputs.count}}!""#);
}

#[test]
fn secrets_are_slots() {
    let params = r#"{"headers":{"auth/x":"Bearer ${{secrets.API.KEY}} for ${{inputs.n}}"},"key":"${{ secrets.my-key }}"}"#;
    let rendered = fixture().render(params).unwrap();
    let shown =
        r#"{"headers":{"auth/x":"Bearer ${{secrets.API.KEY}} for 5"},"key":"${{secrets.my-key}}"}"#;
    assert_eq!(rendered.value.to_json(), shown);
    assert_eq!(rendered.secrets.len(), 2);
    assert_eq!(rendered.secrets[0].pointer, "/headers/auth~1x");
    let pieces = [
        Piece::Text("Bearer ".into()),
        Piece::Secret("API.KEY".into()),
        Piece::Text(" for 5".into()),
    ];
    assert_eq!(rendered.secrets[0].pieces, pieces);
    assert_eq!(rendered.secrets[1].pieces, [Piece::Secret("my-key".into())]);
    let template = Template::compile(&value(params)).unwrap();
    assert_eq!(template.secrets().collect::<Vec<_>>(), ["API.KEY", "my-key"]);
}

#[test]
fn absence_is_explained() {
    fails(
        "${{steps.missing.output}}",
        EvalErrorKind::AbsentStep,
        &["missing", "fetch, fetch-data"],
    );
    fails("${{steps.gone.x}}", EvalErrorKind::AbsentStep, &["skipped"]);
    fails("${{steps.fetch.output.urk}}", EvalErrorKind::MissingKey, &["[body, url]", "`url`"]);
    fails("${{inputs.nothing}}", EvalErrorKind::AbsentInput, &["nothing", "available"]);
    fails("${{inputs.n.x}}", EvalErrorKind::Type, &["of int"]);
    fails("${{inputs.n-1}}", EvalErrorKind::AbsentInput, &["n-1", "to subtract"]);
    fails("a ${{loop.z}}", EvalErrorKind::MissingKey, &["[index, item]"]);
    let outside = Fixture::default().render(r#""${{loop.item}}""#).unwrap_err();
    assert_eq!(outside.kind, EvalErrorKind::AbsentVariable);
}

#[test]
fn mistakes_are_found_when_compiling_all_at_once() {
    refuses("${{inputs.x", &["unclosed"]);
    refuses("${{ }}", &["empty"]);
    refuses("${{}}", &["empty"]);
    refuses("${{ inputs.${{inputs.x}} }}", &["inside another"]);
    refuses("ä ${{input.x}}", &["unknown namespace `input`", "secrets, step_status", "`inputs`"]);
    refuses("${{inputs.}}", &["field name"]);
    refuses("${{secrets.}}", &["plain path"]);
    refuses("${{secrets}}", &["plain path"]);
    refuses("${{secrets['K']}}", &["plain path"]);
    refuses("${{secrets.A + 'x'}}", &["plain path"]);
    refuses("${{'x' + secrets.A}}", &["cannot be part of an expression"]);
    refuses("${{ steps.a-b.c + 1 }}", &["steps['a-b'].c + 1"]);
    let errors = Template::compile(&value(r#"["${{","ok",{"k":"${{ }}"}]"#)).unwrap_err();
    let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/0", "/2/k"]);
    let errors = Template::compile(&Value::from("n: ${{ steps.a-b.c + 1 }}!")).unwrap_err();
    assert_eq!(errors[0].error.replacement.as_deref(), Some("n: ${{ steps['a-b'].c + 1 }}!"));
}

#[test]
fn references_come_with_pointers() {
    let params =
        value(r#"{"a":["${{steps.x-y.z.w}} ${{inputs.q > 1}}"],"b":"${{step_status.k}}"}"#);
    let template = Template::compile(&params).unwrap();
    let seen: Vec<_> = template.references().collect();
    assert_eq!(seen.iter().map(|seen| seen.0).collect::<Vec<_>>(), ["/a/0", "/a/0", "/b"]);
    let step = &seen[0].1.steps[0];
    assert_eq!(step.resolve(|id| id == "x-y"), ("x-y", true));
    assert_eq!(step.resolve(|id| id == "x-y.z"), ("x-y.z", true));
    assert_eq!(step.resolve(|_| false), ("x-y", false));
    assert_eq!(seen[1].1.inputs[0].0.as_ref(), "q");
    assert!(seen[2].1.steps[0].status_only);
}
