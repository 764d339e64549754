//! The served binary: what a tool call over MCP costs, and how many workflows a second come through it.
//!
//! Keeps: the binary as it ships, asked over loopback by clients that keep their connections; every run is on disk and over
//! when it is answered.
//! Not here: the same without a face (`opcode bench`).

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

type Done = Result<(), Box<dyn Error>>;

/// How long each figure is taken.
const SPAN: Duration = Duration::from_secs(2);
const VERSION: &str = "2026-07-28";

/// A server that ends with us.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Err(cause) = self.child.kill().and_then(|()| self.child.wait()) {
            println!("the server did not end: {cause}");
        }
    }
}

impl Served {
    fn start(dir: &Path) -> Result<Self, Box<dyn Error>> {
        let binary = std::env::current_exe()?.with_file_name("opcode");
        let mut serve = Command::new(binary);
        serve.args(["serve", "--json", "--log-level", "off", "--listen-addr", "127.0.0.1:0"]);
        serve.arg("--db-path").arg(dir.join("served.db"));
        let child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut served = Self { child, address: String::new() };
        let mut line = String::new();
        let stdout = served.child.stdout.take().ok_or("a server without output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line)?;
        served.address = said["address"].as_str().ok_or("no address")?.to_owned();
        Ok(served)
    }
}

/// A client of today that keeps its connection.
struct Client {
    stream: BufReader<TcpStream>,
    address: String,
}

impl Client {
    fn connect(address: &str) -> Result<Self, Box<dyn Error>> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), address: address.to_owned() })
    }

    /// Calls a tool; the text of the answer.
    fn tool(&mut self, name: &str, arguments: &Value) -> Result<String, Box<dyn Error>> {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"name": name, "arguments": arguments, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
            .to_string();
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {VERSION}\r\n\
             Mcp-Method: tools/call\r\nMcp-Name: {name}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all((head + &body).as_bytes())?;
        let answer = self.answer()?;
        match answer.contains("\"isError\":true") || answer.contains("\"error\":{\"code\":-") {
            true => Err(answer.into()),
            false => Ok(answer),
        }
    }

    fn answer(&mut self) -> Result<String, Box<dyn Error>> {
        let (mut length, mut line) = (None, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let head = line.trim_end().to_ascii_lowercase();
            if let Some(number) = head.strip_prefix("content-length: ") {
                length = Some(number.parse()?);
            }
            if head.is_empty() {
                break;
            }
        }
        let mut body = Vec::new();
        match length {
            Some(length) => self.take(length, &mut body)?,
            None => loop {
                line.clear();
                self.stream.read_line(&mut line)?;
                let length = usize::from_str_radix(line.trim_end(), 16)?;
                self.take(length, &mut body)?;
                self.stream.read_line(&mut line)?;
                if length == 0 {
                    break;
                }
            },
        }
        Ok(String::from_utf8(body)?)
    }

    fn take(&mut self, length: usize, body: &mut Vec<u8>) -> Done {
        let from = body.len();
        body.resize(from + length, 0);
        self.stream.read_exact(&mut body[from..])?;
        Ok(())
    }
}

/// Latencies of calls that clients make one after the other, for a while.
fn load(address: &str, clients: usize, name: &'static str, arguments: &Value) -> Vec<Duration> {
    let one = |_| {
        let (address, arguments) = (address.to_owned(), arguments.clone());
        std::thread::spawn(move || {
            let mut client = Client::connect(&address).unwrap_or_else(|cause| panic!("{cause}"));
            let (begun, mut spans) = (Instant::now(), Vec::new());
            while begun.elapsed() < SPAN {
                let before = Instant::now();
                if let Err(cause) = client.tool(name, &arguments) {
                    panic!("{cause}");
                }
                spans.push(before.elapsed());
            }
            spans
        })
    };
    let threads: Vec<_> = (0..clients).map(one).collect();
    let joined = threads.into_iter().map(|thread| thread.join().unwrap_or_default());
    joined.flatten().collect()
}

fn tell(what: &str, mut spans: Vec<Duration>) {
    spans.sort();
    let at = |part: usize| spans[(spans.len() * part / 100).min(spans.len() - 1)].as_secs_f64();
    println!(
        "{what}: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms",
        spans.len() as f64 / SPAN.as_secs_f64(),
        at(50) * 1e3,
        at(99) * 1e3
    );
}

/// Tool calls and whole workflows through MCP, at level `disk`.
pub(crate) fn served(dir: &Path) -> Done {
    let server = Served::start(dir)?;
    let step = |n: usize| {
        let after: Vec<String> = n.checked_sub(1).map(|n| format!("s{n}")).into_iter().collect();
        json!({"id": format!("s{n}"), "action": "crypto.hash", "params": {"data": "x"}, "depends_on": after})
    };
    let definition = json!({"steps": (0..10).map(step).collect::<Vec<_>>()});
    let mut client = Client::connect(&server.address)?;
    let template = json!({"name": "ten", "agent_id": "bench", "definition": definition});
    client.tool("opcode.define", &template)?;
    let resource = json!({"resource": "templates"});
    tell("opcode.query over MCP, 1 client", load(&server.address, 1, "opcode.query", &resource));
    let run = json!({"template_name": "ten", "agent_id": "bench"});
    for clients in [1, 64, 256] {
        let what = format!("opcode.run over MCP, ten pure steps, disk, {clients} clients");
        tell(&what, load(&server.address, clients, "opcode.run", &run));
    }
    Ok(())
}
