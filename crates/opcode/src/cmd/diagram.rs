//! `opcode diagram`: draws a definition, a template, or a workflow with how far it has come.
//!
//! Keeps: only reads; works beside whoever holds the store; no bytes that a terminal would choke on.
//! Not here: how anything is drawn (`opcode-view`).

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use opcode_model::RunId;
use opcode_runtime::Source;
use opcode_view::{Diagram, Format, Picture};
use serde_json::{Value as Json, json};

use crate::cli::Place;
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{cmd, say, source, wire};

#[derive(Args, Debug)]
pub(crate) struct DiagramArgs {
    /// A template, a workflow, or a definition in JSON (`-` is stdin)
    #[arg(value_name = "TEMPLATE|ID|FILE")]
    what: String,
    /// ascii, mermaid, svg or png [default: as -o is called, or ascii]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<FormatArg>,
    /// Write it to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Version of the template [default: the latest]
    #[arg(long, value_name = "V")]
    version: Option<String>,
    /// Print it within one JSON object; a PNG in base64
    #[arg(long)]
    pub(crate) json: bool,
}

/// How it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    Ascii,
    Mermaid,
    Svg,
    #[value(alias = "image")]
    Png,
}

impl FormatArg {
    /// As a file of this name is.
    fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "txt" => Some(Self::Ascii),
            "mmd" | "mermaid" => Some(Self::Mermaid),
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }

    fn format(self) -> Format {
        match self {
            Self::Ascii => Format::Ascii,
            Self::Mermaid => Format::Mermaid,
            Self::Svg => Format::Svg,
            Self::Png => Format::Png,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Mermaid => "mermaid",
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

pub(crate) async fn run(place: &Place, args: DiagramArgs) -> Result<Exit, Trouble> {
    let named = args.output.as_deref().and_then(FormatArg::of_file);
    let format = args.format.or(named).unwrap_or(FormatArg::Ascii);
    if format == FormatArg::Png && args.output.is_none() && !args.json && say::is_watched() {
        return Err(Trouble::usage("a PNG is not for a terminal")
            .hint("name a file: -o FILE; or take --format ascii"));
    }
    let diagram = find(place, &args).await?;
    let picture = diagram.draw(format.format())?;
    match &args.output {
        Some(path) => write(&diagram, format, picture, (path, args.json))?,
        None if args.json => {
            let mut answer = about(&diagram, format);
            answer["diagram"] = match picture {
                Picture::Text(text) => text.into(),
                Picture::Png(bytes) => STANDARD.encode(bytes).into(),
            };
            say::json(&answer);
        }
        None => say::bytes(&picture.into_bytes()),
    }
    Ok(Exit::Completed)
}

/// What is to be drawn.
async fn find(place: &Place, args: &DiagramArgs) -> Result<Diagram, Trouble> {
    let is_file = source::is_file(&args.what);
    let run = RunId::parse(&args.what.to_lowercase()).filter(|_| !is_file);
    if args.version.is_some() && (is_file || run.is_some()) {
        return Err(Trouble::usage("only a template has versions").hint("leave out --version"));
    }
    if let Some(run) = run {
        let view = wire::reader(place).await?.status(run).await?;
        let name = view.summary.row.name.as_deref();
        return Ok(Diagram::of_run(&view.plan, &view.run, name));
    }
    if is_file {
        let read = source::definition(&args.what)?;
        let title = read.title(&args.what);
        let source = Source::Definition(read.document.definition);
        let found = wire::reader_or_empty(place).await?.plan(&source).await;
        let (plan, _) = found.map_err(|error| Trouble::from(error).written(&read.written))?;
        return Ok(Diagram::of_plan(&plan, title.as_deref()));
    }
    let version = args.version.as_deref().map(Into::into);
    let name = args.what.as_str().into();
    let found = wire::reader_or_empty(place).await?.plan(&Source::Template { name, version }).await;
    let (plan, _) = found.map_err(|error| match &args.version {
        None => cmd::run::nameless(error.into(), &args.what),
        Some(_) => error.into(),
    })?;
    Ok(Diagram::of_plan(&plan, Some(&args.what)))
}

fn about(diagram: &Diagram, format: FormatArg) -> Json {
    let mut about = json!({"title": diagram.title, "format": format.text()});
    if let Some(status) = diagram.status {
        about["status"] = status.text().into();
    }
    about
}

fn write(
    diagram: &Diagram,
    format: FormatArg,
    picture: Picture,
    (path, as_json): (&Path, bool),
) -> Result<(), Trouble> {
    let bytes = picture.into_bytes();
    std::fs::write(path, &bytes).map_err(|cause| {
        Trouble::usage(format!("could not write {}: {cause}", path.display()))
            .hint("check the directory and its permissions")
    })?;
    if as_json {
        let mut answer = about(diagram, format);
        answer["file"] = path.to_string_lossy().into();
        answer["bytes"] = bytes.len().into();
        say::json(&answer);
    }
    Ok(())
}
