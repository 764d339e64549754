//! Templates: definitions with a name and versions `v1`, `v2`, ….
//!
//! Keeps: a version never changes; the latest is the highest number, not the last in the alphabet.
//! Not here: running one (`engine.rs`).

use std::sync::Arc;

use opcode_engine::Plan;
use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_model::{DefinitionHash, ErrorCode, Failure, Problem, Timestamp, Value};
use opcode_store::{Catalog, CatalogEntry, CatalogError, Runs};
use serde::{Deserialize, Serialize};

use crate::audit::{Actor, Deed};
use crate::check::check_name;
use crate::clock::now;
use crate::engine::EngineError;
use crate::plans::{Plans, failure};
use crate::reader::Reader;
use crate::tools::Tools;

/// A named, versioned definition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Template {
    /// Its name.
    pub name: Arc<str>,
    /// `v1`, `v2`, ….
    pub version: Arc<str>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Arc<str>>,
    /// The definition.
    pub definition: Value,
    /// Who defined it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Arc<str>>,
    /// When.
    pub created_at: Timestamp,
}

impl Template {
    /// The hash of its definition.
    pub(crate) fn hash(&self) -> DefinitionHash {
        DefinitionHash::of(&self.definition.to_json())
    }

    /// What puts it into the catalog, if its place there is free.
    pub(crate) fn write(&self, at: Timestamp) -> CatalogWrite {
        CatalogWrite {
            kind: CatalogKind::Template,
            key: key(&self.name, &self.version),
            body: serde_json::to_string(self).ok().map(Into::into),
            at,
            replace: false,
        }
    }
}

/// A wish to define a template.
#[derive(Clone, Debug, Default)]
pub struct DefineRequest {
    /// Its name.
    pub name: Arc<str>,
    /// What it is for.
    pub description: Option<Arc<str>>,
    /// The definition.
    pub definition: Value,
    /// Who defines it.
    pub agent_id: Option<Arc<str>>,
    /// Only check it.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Defined {
    /// Its name.
    pub name: Arc<str>,
    /// The new version; the one it would have been, in a dry run.
    pub version: Arc<str>,
    /// What is not wrong, but probably not meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Problem>,
}

/// Templates in a catalog.
pub(crate) struct Templates {
    pub(crate) catalog: Arc<dyn Catalog>,
    /// Whether there is a store behind the catalog: else nobody knows which templates there will be.
    pub(crate) are_known: bool,
}

fn key(name: &str, version: &str) -> Arc<str> {
    format!("{name}@{version}").into()
}

fn number(version: &str) -> u64 {
    version.strip_prefix('v').and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl Templates {
    /// Every template of a name, oldest version first; every one there is, if no name is given.
    pub(crate) async fn list(&self, name: Option<&str>) -> Result<Vec<Template>, Failure> {
        let prefix = name.map(|name| format!("{name}@")).unwrap_or_default();
        let entries = self.catalog.list(CatalogKind::Template, prefix.into()).await;
        let entries = entries.map_err(failure)?;
        let mut found: Vec<Template> = entries.iter().map(read).collect::<Result<_, _>>()?;
        found.sort_by(|a, b| a.name.cmp(&b.name).then(number(&a.version).cmp(&number(&b.version))));
        Ok(found)
    }

    /// One template; the latest if no version is given.
    pub(crate) async fn find(
        &self,
        name: &str,
        version: Option<&str>,
    ) -> Result<Template, Failure> {
        let Some(version) = version else {
            let latest = self.list(Some(name)).await?.pop();
            return match latest {
                Some(template) => Ok(template),
                None => Err(self.unknown(name).await),
            };
        };
        let found = self.catalog.find(CatalogKind::Template, key(name, version)).await;
        match found.map_err(failure)? {
            Some(body) => parse(&body),
            None => {
                let message = format!("template `{name}` has no version `{version}`");
                Err(Failure::new(ErrorCode::NotFound, message))
            }
        }
    }

    async fn unknown(&self, name: &str) -> Failure {
        let all = self.list(None).await.unwrap_or_default();
        let names = all.iter().map(|template| template.name.as_ref());
        let hint = opcode_model::problem::nearest(name, names)
            .map(|meant| format!("; did you mean `{meant}`?"));
        let message = format!("template `{name}` does not exist{}", hint.unwrap_or_default());
        Failure::new(ErrorCode::NotFound, message)
    }

    /// Stores a plan's definition as the next version.
    pub(crate) async fn define(
        &self,
        plan: &Plan,
        request: &DefineRequest,
        actor: Option<&Actor>,
    ) -> Result<Defined, Failure> {
        loop {
            let last = self.list(Some(&request.name)).await?.pop();
            let next = last.map_or(0, |template| number(&template.version)) + 1;
            let version: Arc<str> = format!("v{next}").into();
            let mut defined = Defined {
                name: request.name.clone(),
                version: version.clone(),
                warnings: plan.warnings.clone(),
            };
            defined.warnings.extend(self.absent_children(plan, &defined).await?);
            if request.dry_run {
                return Ok(defined);
            }
            let at = now();
            let record = actor.map(|actor| {
                let (id, agent) = (key(&request.name, &version), request.agent_id.as_deref());
                actor.did(Deed { action: "template.define", kind: "template", id: &id, agent })
            });
            let template = Template {
                name: request.name.clone(),
                version,
                description: request.description.clone(),
                definition: Value::from_json(&plan.text).unwrap_or_default(),
                agent_id: request.agent_id.clone(),
                created_at: at,
            };
            let writes = record.into_iter().chain([template.write(at)]).collect();
            match self.catalog.put(writes).await {
                Ok(()) => return Ok(defined),
                // Somebody else defined the same version meanwhile: take the next.
                Err(CatalogError::Taken(_)) => {}
                Err(CatalogError::Fault(fault)) => return Err(failure(fault)),
            }
        }
    }

    /// Warns about children whose templates are not there; what is being defined may run itself.
    async fn absent_children(
        &self,
        plan: &Plan,
        defined: &Defined,
    ) -> Result<Vec<Problem>, Failure> {
        let mut absent = Vec::new();
        for child in plan.children.iter().filter(|_| self.are_known) {
            let own = child.version.as_ref().is_none_or(|version| *version == defined.version);
            if child.template == defined.name && own {
                continue;
            }
            match self.find(&child.template, child.version.as_deref()).await {
                Ok(_) => {}
                Err(failure) if failure.code == ErrorCode::NotFound => {
                    let problem = Problem::warning(child.place.as_str(), failure.message.as_ref());
                    absent.push(
                        problem
                            .hint("define it before this runs: `opcode define`, `opcode.define`"),
                    );
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(absent)
    }
}

fn read(entry: &CatalogEntry) -> Result<Template, Failure> {
    parse(&entry.body)
}

fn parse(body: &str) -> Result<Template, Failure> {
    serde_json::from_str(body)
        .map_err(|cause| Failure::new(ErrorCode::Store, format!("a template is damaged: {cause}")))
}

impl Reader {
    /// Stores a definition under a name, as its next version; or only checks it.
    pub(crate) async fn define(
        &self,
        request: DefineRequest,
        actor: Option<&Actor>,
    ) -> Result<Defined, EngineError> {
        check_name(&request.name)?;
        let plan = self.plans.admit(&request.definition).map_err(EngineError::Problems)?;
        Ok(self.templates.define(&plan, &request, actor).await?)
    }
}

/// Defines a template in a store that runs nothing meanwhile.
///
/// # Errors
/// Every problem of the definition; nothing is stored then.
pub async fn define<S: Runs + Catalog>(
    store: Arc<S>,
    tools: Arc<dyn Tools>,
    request: DefineRequest,
    actor: &Actor,
) -> Result<Defined, EngineError> {
    Reader::new(store, tools).define(request, Some(actor)).await
}

/// The plan of a template.
pub(crate) fn plan_of(plans: &Plans, template: &Template) -> Result<Arc<Plan>, Vec<Problem>> {
    let plan = plans.make(&template.definition)?;
    debug_assert_eq!(plan.hash, template.hash());
    Ok(plan)
}
