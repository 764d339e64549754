//! The skill, for clients that read it from the server: the same files as in `skills/opcode`.
//!
//! Keeps: what is listed is what can be read, byte for byte.
//! Not here: what it teaches (`skills/opcode`).

use rmcp::ErrorData;
use rmcp::model::{
    GetSkillResult, ReadResourceResult, Resource, ResourceContents, Skill, SkillFrontmatter,
    SkillResource, SkillResources,
};
use serde_json::json;

/// The file that says what it is for.
const MAIN: &str = "skill://opcode/SKILL.md";

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// Every file, by address.
        const FILES: &[(&str, &str)] = &[
            $((
                concat!("skill://opcode/", $path),
                include_str!(concat!("../../../skills/opcode/", $path)),
            )),*
        ];
    };
}

files![
    "SKILL.md",
    "references/actions.md",
    "references/connect.md",
    "references/decisions.md",
    "references/definition.md",
    "references/errors.md",
    "references/expressions.md",
    "references/patterns.md",
    "references/tools.md",
    "references/troubleshooting.md",
];

/// The skill as it is listed.
pub(crate) fn whole() -> Skill {
    let files = FILES.iter().map(|(uri, text)| SkillResource::from_bytes(*uri, text.as_bytes()));
    Skill::new(MAIN, frontmatter(), SkillResources::Files(files.collect()))
}

/// Its main file, among what can be read by address.
pub(crate) fn listed() -> Resource {
    let head = frontmatter();
    let listed = Resource::new(MAIN, head.name).with_description(head.description);
    listed.with_mime_type("text/markdown")
}

/// What stands before its text: a name and a value a line.
fn frontmatter() -> SkillFrontmatter {
    let text = FILES.first().map_or("", |(_, text)| *text);
    let head = text.split("---\n").nth(1).unwrap_or_default();
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.fold(SkillFrontmatter::new("opcode", ""), |mut head, (name, value)| match name {
        "name" => head,
        "description" => {
            value.clone_into(&mut head.description);
            head
        }
        name => head.with_field(name, value),
    })
}

/// The skill at an address.
pub(crate) fn get(uri: &str) -> Result<GetSkillResult, ErrorData> {
    if uri == MAIN {
        return Ok(GetSkillResult::new(whole()));
    }
    let data = json!({"uri": uri});
    Err(ErrorData::invalid_params(format!("there is no skill {uri}"), Some(data)))
}

/// One of its files.
pub(crate) fn read(uri: &str) -> Option<ReadResourceResult> {
    let (_, text) = FILES.iter().find(|(known, _)| *known == uri)?;
    let contents = ResourceContents::text(*text, uri).with_mime_type("text/markdown");
    Some(ReadResourceResult::new(vec![contents]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_skill_is_served_and_the_listing_is_valid() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../skills/opcode");
        let references = std::fs::read_dir(folder.join("references")).unwrap().count();
        assert_eq!(FILES.len(), references + 1);
        let skill = whole();
        skill.validate().unwrap();
        assert!(skill.frontmatter.description.len() > 100);
        assert!(skill.frontmatter.extra.contains_key("license"), "{skill:?}");
    }
}
