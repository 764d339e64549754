//! What actions may use of the world: HTTP clients, file roots, the helper that runs processes.
//!
//! Keeps: nothing here is global; nothing is read from the environment.
//! Not here: where these settings come from (the binary).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use opcode_model::limits::{CAPTURE_BYTES_MAX, FILE_BYTES_MAX};
use opcode_sandbox::Exec;
use opcode_sandbox::policy::Rules;

use crate::breaker::COOLDOWN;
use crate::files::{FileRules, Roots};
use crate::web::{Clients, Policy, admit};

/// What a world is made from.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Which files actions may touch.
    pub files: FileRules,
    /// The program that is run again as `<helper> __exec` to hold each process tree.
    pub helper: PathBuf,
    /// Where helpers note that they live, so that a restart finds what it must wait for.
    pub attempts_dir: Option<PathBuf>,
    /// The proxy for HTTP actions; the environment's is never used.
    pub proxy: Option<String>,
    /// Where the daemon itself listens; HTTP actions may not go there.
    pub own_addresses: Vec<SocketAddr>,
    /// Whether HTTP actions reach neither loopback nor private networks.
    pub deny_private: bool,
    /// `PATH` of children.
    pub path: String,
    /// `HOME` of children.
    pub home: String,
    /// `LANG` of children.
    pub lang: String,
    /// `TMPDIR` of children.
    pub tmpdir: String,
    /// Variables of the server that children get as they are.
    pub shell_env: BTreeMap<String, String>,
    /// What steps are granted of what they wish for their programs.
    pub rules: Rules,
    /// Bytes of one stream or body that are kept.
    pub capture_bytes_max: usize,
    /// Bytes of one file that are read.
    pub file_bytes_max: usize,
    /// How long a target that keeps failing is left alone.
    pub breaker_cooldown: Duration,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            files: FileRules::default(),
            helper: PathBuf::from("opcode"),
            attempts_dir: None,
            proxy: None,
            own_addresses: Vec::new(),
            deny_private: false,
            path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            home: "/".to_owned(),
            lang: "C.UTF-8".to_owned(),
            tmpdir: "/tmp".to_owned(),
            shell_env: BTreeMap::new(),
            rules: Rules::default(),
            capture_bytes_max: CAPTURE_BYTES_MAX,
            file_bytes_max: FILE_BYTES_MAX,
            breaker_cooldown: COOLDOWN,
        }
    }
}

/// Why a world could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WorldFault {
    /// A root could not be opened.
    #[error("could not open the root {path}")]
    Root {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The proxy is not a URL.
    #[error("could not use the proxy {proxy}")]
    Proxy {
        /// Which.
        proxy: String,
        /// Why.
        source: reqwest::Error,
    },
}

/// What actions may use of the world.
#[derive(Debug)]
pub struct World {
    config: WorldConfig,
    exec: Exec,
    roots: Roots,
    clients: Clients,
}

impl World {
    /// A world; clients and connections are made when first needed.
    pub fn new(config: WorldConfig) -> Result<Self, WorldFault> {
        let roots = Roots::open(&config.files)
            .map_err(|(path, source)| WorldFault::Root { path, source })?;
        let (own, deny_private) = (config.own_addresses.clone(), config.deny_private);
        let policy = Policy { own, deny_private };
        let clients = Clients::new(config.proxy.as_deref(), policy)?;
        let exec = Exec::new(config.helper.clone(), config.attempts_dir.clone());
        Ok(Self { config, exec, roots, clients })
    }

    /// What it was made from.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// Runs processes.
    pub fn exec(&self) -> &Exec {
        &self.exec
    }

    /// An HTTP client for a place that the operator named: it goes anywhere but to ourselves and to where machines keep
    /// their credentials, follows no redirect and asks no proxy.
    ///
    /// # Errors
    /// Why it may not go there, or cannot be made.
    pub async fn client_for(&self, url: &str) -> Result<reqwest::Client, String> {
        let policy = Policy { own: self.config.own_addresses.clone(), deny_private: false };
        let url = reqwest::Url::parse(url).map_err(|error| error.to_string())?;
        admit(&url, &policy).await.map_err(|forbidden| forbidden.to_string())?;
        let clients = Clients::new(None, policy).map_err(|fault| fault.to_string())?;
        clients.find(false).cloned().map_err(|error| error.to_string())
    }

    /// Finds files.
    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Speaks HTTP.
    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }
}
