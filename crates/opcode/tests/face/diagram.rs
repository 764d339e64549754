//! Diagrams over MCP, as a resource, over HTTP, and beside a server.
//!
//! Keeps: a picture is a picture wherever it is asked for; reading is enough to see one.
//! Not here: how anything is drawn (`opcode-view`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{ASKS, Home};
use crate::mcp::Client;
use crate::server::Server;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn suspended(client: &Client) -> String {
    client.define("gate", ASKS);
    let run = client.good("opcode.run", json!({"template_name": "gate", "agent_id": "a"}));
    run["workflow_id"].as_str().unwrap().to_owned()
}

fn text(result: &Json) -> &str {
    assert_ne!(result["isError"], true, "{result}");
    assert!(result.get("structuredContent").is_none_or(Json::is_null), "{result}");
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn agents_get_text_and_pictures() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let id = suspended(&client);
    let draw = |arguments: Json| client.tool("opcode.diagram", arguments);
    let ascii = draw(json!({"format": "ascii", "workflow_id": id, "template_name": "nothing"}));
    assert!(text(&ascii).contains("[WAIT]"), "a workflow wins over a template: {ascii}");
    let mermaid = draw(json!({"format": "mermaid", "workflow_id": id}));
    assert!(text(&mermaid).contains("class ask suspended"), "{mermaid}");
    for off in [json!(false), json!("false")] {
        let plain = draw(json!({"format": "mermaid", "workflow_id": id, "include_status": off}));
        assert!(!text(&plain).contains("class ask"), "{plain}");
    }
    let template = draw(json!({"format": "ascii", "template_name": "gate", "version": "v1"}));
    assert!(text(&template).starts_with("=== gate ==="), "{template}");
    assert!(text(&draw(json!({"format": "svg", "template_name": "gate"}))).starts_with("<svg "));
    let picture = draw(json!({"format": "image", "workflow_id": id}));
    let image = &picture["content"][0];
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/png")));
    assert!(STANDARD.decode(image["data"].as_str().unwrap()).unwrap().starts_with(PNG));
    for (arguments, part) in [
        (json!({"workflow_id": id}), "format is required"),
        (json!({"format": "ascii"}), "at least one of template_name or workflow_id is required"),
        (json!({"format": "gif", "workflow_id": id}), "format must be one of"),
        (json!({"format": "ascii", "template_name": "gat"}), "opcode.query"),
        (
            json!({"format": "ascii", "workflow_id": "00000000-0000-0000-0000-000000000000"}),
            "NOT_FOUND",
        ),
    ] {
        let refused = draw(arguments);
        assert_eq!(refused["isError"], true, "{refused}");
        assert!(refused["content"][0]["text"].as_str().unwrap().contains(part), "{refused}");
    }
}

#[test]
fn a_workflows_diagram_is_a_resource() {
    let home = Home::new();
    let server = Server::start(&home);
    let client = Client::modern(&server);
    let id = suspended(&client);
    let known = client.call("resources/templates/list", json!({}));
    let known = known["resourceTemplates"].as_array().unwrap();
    let ours = known.iter().find(|it| it["uriTemplate"] == "workflow://{id}/diagram").unwrap();
    let read = client.call("resources/read", json!({"uri": format!("workflow://{id}/diagram")}));
    assert_eq!(read["contents"][0]["mimeType"], ours["mimeType"]);
    assert!(read["contents"][0]["text"].as_str().unwrap().starts_with("graph TD\n"), "{read}");
    let lost = "workflow://00000000-0000-0000-0000-000000000000/diagram";
    let (_, refused) = client.reply("resources/read", json!({"uri": lost}));
    assert!(refused["error"]["code"].is_i64(), "{refused}");
}

#[test]
fn programs_and_browsers_get_pictures_that_do_nothing() {
    let home = Home::new();
    let server = Server::start(&home);
    let id = suspended(&Client::modern(&server));
    let of = |path: &str| Ask::get(path).open(server.address);
    let svg = of(&format!("/api/v1/workflows/{id}/diagram"));
    assert_eq!((svg.status, svg.header("content-type")), (200, Some("image/svg+xml")));
    let policy = svg.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert_eq!(svg.header("x-content-type-options"), Some("nosniff"));
    let svg = String::from_utf8(svg.bytes()).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains(">waiting<"), "{svg}");
    let png = of(&format!("/api/v1/workflows/{id}/diagram?format=png&include_status=false"));
    assert_eq!(png.header("content-type"), Some("image/png"));
    assert!(png.bytes().starts_with(PNG));
    let text = server.get("/api/v1/templates/gate/diagram?format=ascii&version=v1").is(200);
    assert!(text.header("content-type").unwrap().starts_with("text/plain"));
    assert!(text.body.starts_with("=== gate ==="), "{text:?}");
    server.get("/api/v1/templates/gate/diagram?format=gif").is(400).json();
    server.get("/api/v1/templates/gate/diagram?version=v7").is(404).json();
    server.get("/api/v1/templates/nothing/diagram").is(404).json();
    server.get("/api/v1/workflows/00000000-0000-0000-0000-000000000000/diagram").is(404).json();
}

#[test]
fn a_viewer_may_look_and_the_command_line_works_beside() {
    let home = Home::new();
    let server = Server::start(&home);
    let id = suspended(&Client::modern(&server));
    let args = ["tokens", "create", "eyes", "--role", "viewer"];
    let token = home.opcode(&args).ended(0).out.trim().to_owned();
    let mut viewer = Client::modern(&server);
    viewer.token = Some(token.clone());
    let seen = viewer.tool("opcode.diagram", json!({"format": "ascii", "workflow_id": id}));
    assert!(text(&seen).contains("│ ask"), "{seen}");
    let ask = Ask::get(&format!("/api/v1/workflows/{id}/diagram?format=ascii"));
    let ask = ask.with("Authorization", &format!("Bearer {token}"));
    assert_eq!(server.send(&ask).is(200).body, text(&seen));
    assert_eq!(home.opcode(&["diagram", &id]).ended(0).out, text(&seen));
    assert!(home.opcode(&["diagram", "gate"]).ended(0).out.starts_with("=== gate ==="));
}
