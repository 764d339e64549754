//! HTTP actions against a server on this machine.
//!
//! Keeps: what the server saw is what is judged.
//! Not here: parameters that do not fit (`params.rs`).

use std::time::Duration;

use opcode_actions::{Registry, Stop, World, WorldConfig};
use opcode_model::{ErrorCode, Value};

use crate::kit::{Server, call, config, json, perform, perform_in, response, within};

fn with(base: &str, rest: &str) -> String {
    format!(r#"{{"url": "{base}/x"{rest}}}"#)
}

#[tokio::test]
async fn a_response_comes_back_in_full() {
    let head = "200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX-One: 1\r\nX-One: 2";
    let server = Server::fixed(response(head, r#"{"big": 9007199254740993}"#)).await;
    let output = perform("http.get", &with(&server.base, "")).await.unwrap();
    assert_eq!(output.find("body"), Some(&json(r#"{"big": 9007199254740993}"#)));
    assert_eq!(output.find("status"), Some(&"200 OK".into()));
    assert_eq!(output.find("status_code"), Some(&200.into()));
    assert_eq!(output.find("content_type"), Some(&"application/json; charset=utf-8".into()));
    let headers = output.find("headers").unwrap();
    assert_eq!(headers.find("X-One"), Some(&"1".into()));
    assert!(headers.find("Content-Length").is_some());
    let keys: Vec<String> = output.as_object().unwrap().keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["body", "content_type", "duration_ms", "headers", "status", "status_code"]);
    assert_eq!(server.seen()[0].line, "GET /x");
}

#[tokio::test]
async fn bodies_that_are_not_json_stay_text() {
    for (head, body, wanted) in [
        ("200 OK\r\nContent-Type: application/problem+json", "{}", Value::from("{}")),
        ("200 OK\r\nContent-Type: application/json", "{", "{".into()),
        ("200 OK", "plain", "plain".into()),
        ("204 No Content", "", Value::Null),
    ] {
        let server = Server::fixed(response(head, body)).await;
        let output = perform("http.get", &with(&server.base, "")).await.unwrap();
        assert_eq!(output.find("body"), Some(&wanted));
    }
    let mut bytes = response("200 OK", "abcd");
    let length = bytes.len();
    bytes[length - 2] = 0xff;
    let server = Server::fixed(bytes).await;
    let output = perform("http.get", &with(&server.base, "")).await.unwrap();
    assert_eq!(output.find("encoding"), Some(&"base64".into()));
    assert_eq!(output.find("body"), Some(&"YWL/ZA==".into()));
}

#[tokio::test]
async fn bodies_are_written_as_asked() {
    let server = Server::fixed(response("200 OK", "")).await;
    for (rest, content_type, body) in [
        (r#", "body": {"b": [1], "a": "x"}"#, Some("application/json"), r#"{"a":"x","b":[1]}"#),
        (r#", "body": "x""#, Some("application/json"), r#""x""#),
        (
            r#", "body": {"b": 1, "a": "x y&"}, "body_encoding": "form""#,
            Some("application/x-www-form-urlencoded"),
            "a=x+y%26&b=1",
        ),
        (r#", "body": 7, "body_encoding": "text""#, Some("text/plain"), "7"),
        (r#", "body": "{}", "body_encoding": "raw""#, None, "{}"),
        (r#", "body": {}, "headers": {"content-type": "a/b"}"#, Some("a/b"), "{}"),
        (r#", "body": null"#, None, ""),
    ] {
        perform("http.post", &with(&server.base, rest)).await.unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.line.as_str(), seen.body.as_str()), ("POST /x", body));
        assert_eq!(seen.header("content-type"), content_type, "{rest}");
    }
    let form = with(&server.base, r#", "body": [], "body_encoding": "form""#);
    assert_eq!(perform("http.post", &form).await.unwrap_err().code, ErrorCode::Validation);
}

#[tokio::test]
async fn what_changes_something_carries_its_key() {
    let server = Server::fixed(response("200 OK", "")).await;
    for (method, key) in [
        ("GET", None),
        ("head", None),
        ("PUT", None),
        ("DELETE", None),
        ("OPTIONS", None),
        ("POST", Some("KEY")),
        ("patch", Some("KEY")),
    ] {
        let params = with(&server.base, &format!(r#", "method": "{method}""#));
        perform("http.request", &params).await.unwrap();
        let seen = server.seen().pop().unwrap();
        assert_eq!(seen.line, format!("{} /x", method.to_uppercase()));
        assert_eq!(seen.header("idempotency-key"), key, "{method}");
    }
    let own = with(&server.base, r#", "headers": {"Idempotency-Key": "mine"}"#);
    perform("http.post", &own).await.unwrap();
    assert_eq!(server.seen().pop().unwrap().header("idempotency-key"), Some("mine"));
}

#[tokio::test]
async fn who_asks_is_said_in_three_ways() {
    let server = Server::fixed(response("200 OK", "")).await;
    for (auth, name, value) in [
        (r#"{"type": "bearer", "token": "t"}"#, "authorization", "Bearer t"),
        (r#"{"type": "basic", "username": "u", "password": "p"}"#, "authorization", "Basic dTpw"),
        (r#"{"type": "api_key", "header_name": "X-Key", "header_value": "k"}"#, "x-key", "k"),
    ] {
        let rest = format!(r#", "auth": {auth}, "headers": {{"Authorization": "other"}}"#);
        perform("http.get", &with(&server.base, &rest)).await.unwrap();
        assert_eq!(server.seen().pop().unwrap().header(name), Some(value));
    }
    let rest = r#", "auth": {"type": "bearer"}"#;
    let failure = perform("http.get", &with(&server.base, rest)).await.unwrap_err();
    assert_eq!(failure.message.as_ref(), "http.get: missing required param 'token' in 'auth'");
    let rest = r#", "headers": {"A": "secret\n"}"#;
    let failure = perform("http.get", &with(&server.base, rest)).await.unwrap_err();
    assert!(
        failure.code == ErrorCode::Validation && !failure.message.contains("secret"),
        "{failure}"
    );
}

#[tokio::test]
async fn redirects_are_followed_and_secrets_stay_at_home() {
    let other = Server::fixed(response("200 OK", "there")).await;
    let place = format!("307 Temporary Redirect\r\nLocation: {}/y", other.base);
    let server = Server::fixed(response(&place, "")).await;
    let rest = r#", "body": {}, "headers": {"X-Api-Key": "k", "Accept": "a/b"}, "auth": {"type": "bearer", "token": "t"}"#;
    let output = perform("http.post", &with(&server.base, rest)).await.unwrap();
    assert_eq!(output.find("body"), Some(&"there".into()));
    let (first, second) = (server.seen().remove(0), other.seen().remove(0));
    assert_eq!(
        (first.header("x-api-key"), first.header("authorization")),
        (Some("k"), Some("Bearer t"))
    );
    assert_eq!((second.line.as_str(), second.body.as_str()), ("POST /y", "{}"));
    assert_eq!(second.header("accept"), Some("a/b"));
    for name in ["x-api-key", "authorization", "idempotency-key"] {
        assert_eq!(second.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn a_redirect_at_home_keeps_headers_and_see_other_becomes_get() {
    let server = Server::new(|seen| match seen.line.as_str() {
        "POST /x" => response("303 See Other\r\nLocation: /done", ""),
        _ => response("200 OK", "done"),
    })
    .await;
    let rest = r#", "body": {"a": 1}, "headers": {"X-Api-Key": "k"}"#;
    perform("http.post", &with(&server.base, rest)).await.unwrap();
    let seen = server.seen().pop().unwrap();
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("GET /done", ""));
    assert_eq!((seen.header("x-api-key"), seen.header("content-type")), (Some("k"), None));
}

#[tokio::test]
async fn redirects_have_limits() {
    let server = Server::fixed(response("302 Found\r\nLocation: /x", "")).await;
    let failure =
        perform("http.get", &with(&server.base, r#", "max_redirects": 2"#)).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Execution);
    assert_eq!(failure.message.as_ref(), "http.get: request failed: stopped after 2 redirects");
    assert_eq!(server.seen().len(), 3);
    let output = perform("http.get", &with(&server.base, r#", "follow_redirects": false"#)).await;
    assert_eq!(output.unwrap().find("status_code"), Some(&302.into()));
    let server = Server::fixed(response("302 Found\r\nLocation: file:///etc/passwd", "")).await;
    let failure = perform("http.get", &with(&server.base, "")).await.unwrap_err();
    assert!(failure.message.contains("not HTTP"), "{failure}");
}

#[tokio::test]
async fn a_status_fails_the_step_only_when_asked() {
    for (head, code, wait) in [
        ("404 Not Found", ErrorCode::NonRetryable, None),
        ("503 Service Unavailable\r\nRetry-After: 7", ErrorCode::Execution, Some(7_000)),
        (
            "429 Too Many Requests\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT",
            ErrorCode::Execution,
            Some(0),
        ),
    ] {
        let server = Server::fixed(response(head, "no")).await;
        assert!(perform("http.get", &with(&server.base, "")).await.is_ok());
        let rest = r#", "fail_on_error_status": true"#;
        let failure = perform("http.request", &with(&server.base, rest)).await.unwrap_err();
        assert_eq!((failure.code, failure.retry_after_ms), (code, wait));
        assert!(failure.message.starts_with("http.request: server returned "));
        assert_eq!(failure.details.find("body"), Some(&"no".into()));
    }
}

#[tokio::test]
async fn a_long_body_is_cut_and_says_so() {
    let server =
        Server::fixed(response("200 OK\r\nContent-Type: application/json", "[1,2,3,\"é\"]")).await;
    let config = WorldConfig { capture_bytes_max: 9, ..config() };
    let output =
        perform_in(config, "http.get", &call(&with(&server.base, "")), Stop::never()).await;
    let output = output.unwrap();
    assert_eq!(output.find("body"), Some(&"[1,2,3,\"".into()));
    assert_eq!(output.find("truncated"), Some(&true.into()));
}

#[tokio::test]
async fn nobody_there_is_an_execution_error_without_the_url() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let params = format!(r#"{{"url": "http://{gone}/?token=secret"}}"#);
    let failure = perform("http.get", &params).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Execution);
    assert!(failure.message.starts_with("http.get: request failed: "), "{failure}");
    assert!(failure.message.to_lowercase().contains("connection refused"), "{failure}");
    assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_meets_three_limits() {
    let server = Server::fixed("").await;
    let failure =
        perform("http.get", &with(&server.base, r#", "timeout": "50ms""#)).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Execution);
    assert!(failure.message.ends_with("no complete response within 50ms"), "{failure}");

    let mut limited = call(&with(&server.base, ""));
    limited.timeout = Some(Duration::from_millis(50));
    let failure = perform_in(config(), "http.get", &limited, Stop::never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::Timeout);
    assert_eq!(failure.message.as_ref(), "http.get: timed out after 50ms");

    let (stopper, stop) = Stop::pair();
    stopper.fire();
    let failure = perform_in(config(), "http.get", &call(&with(&server.base, "")), stop).await;
    assert_eq!(failure.unwrap_err().code, ErrorCode::Cancelled);
}

#[tokio::test]
async fn connections_are_kept() {
    let server = Server::fixed(response("200 OK", "")).await;
    let (registry, world) = (Registry::builtin(), World::new(config()).unwrap());
    let (call, get) = (call(&with(&server.base, "")), registry.find("http.get").unwrap());
    for _ in 0..3 {
        within(get.perform(&call, &world, Stop::never())).await.unwrap();
    }
    assert!(server.seen().iter().all(|seen| seen.connection == 0));
    assert!(server.seen()[0].header("user-agent").unwrap().starts_with("opcode/"));
}

#[tokio::test]
async fn a_configured_proxy_is_used() {
    let proxy = Server::fixed(response("200 OK", "by proxy")).await;
    let config = WorldConfig { proxy: Some(proxy.base.clone()), ..config() };
    let call = call(r#"{"url": "http://example.invalid/x"}"#);
    let output = perform_in(config, "http.get", &call, Stop::never()).await.unwrap();
    assert_eq!(output.find("body"), Some(&"by proxy".into()));
    assert_eq!(proxy.seen()[0].line, "GET http://example.invalid/x");
    let broken = WorldConfig { proxy: Some("::".to_owned()), ..WorldConfig::default() };
    assert!(World::new(broken).is_err());
}

#[tokio::test]
async fn a_server_without_a_valid_certificate_is_not_spoken_to() {
    // It does not speak TLS at all, which is as good as any other reason not to trust it.
    let server = Server::fixed(response("200 OK", "")).await;
    let url = server.base.replace("http:", "https:");
    for skip in ["true", "false"] {
        let params = format!(r#"{{"url": "{url}", "tls_skip_verify": {skip}}}"#);
        let failure = perform("http.get", &params).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::Execution, "{failure}");
    }
}

#[tokio::test]
async fn forbidden_addresses_are_refused_before_anything_is_sent() {
    let own: std::net::SocketAddr = "127.0.0.1:4100".parse().unwrap();
    let config = || WorldConfig { own_addresses: vec![own], ..config() };
    let mut urls = vec![
        "http://169.254.169.254/latest".to_owned(),
        "http://2852039166/latest".to_owned(),
        "http://0xa9.0xfe.43518/latest".to_owned(),
        "http://[fe80::1]/".to_owned(),
        "http://[::ffff:169.254.169.254]/".to_owned(),
        "http://127.0.0.1:4100/".to_owned(),
        "http://[::ffff:127.0.0.1]:4100/".to_owned(),
        "http://0.0.0.0:4100/".to_owned(),
        "http://localhost:4100/".to_owned(),
    ];
    let mut servers = Vec::new();
    for nth in 0..urls.len() {
        let head = format!("302 Found\r\nLocation: {}", urls[nth]);
        servers.push(Server::fixed(response(&head, "")).await);
        urls.push(format!("{}/", servers[nth].base));
    }
    for url in urls {
        let call = call(&format!(r#"{{"url": "{url}"}}"#));
        let failure = perform_in(config(), "http.get", &call, Stop::never()).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::PermissionDenied, "{url}: {failure}");
    }
    // Another port of the same machine is somebody else.
    let server = Server::fixed(response("200 OK", "")).await;
    let call = call(&with(&server.base, ""));
    assert!(perform_in(config(), "http.get", &call, Stop::never()).await.is_ok());
}

#[test]
fn the_target_is_the_server() {
    let registry = Registry::builtin();
    let target = |params: &str| registry.find("http.post").unwrap().target(&json(params));
    assert_eq!(target(r#"{"url": "https://a.example/b"}"#).as_deref(), Some("a.example:443"));
    assert_eq!(target(r#"{"url": "http://[::1]:81/"}"#).as_deref(), Some("[::1]:81"));
    assert_eq!(target(r#"{"url": "nowhere"}"#), None);
}
