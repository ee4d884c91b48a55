//! A data folder that `init` has prepared, and servers over it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::client::Client;
use super::program::{program, run};
use super::server::Server;

/// The origin in every id. Nothing answers there: what needs a network would be seen.
pub(crate) const ORIGIN: &str = "https://registry.example";

/// A data folder with its operator's token.
pub(crate) struct Folder {
    home: TempDir,
    pub(crate) token: String,
}

impl Folder {
    /// Prepares a fresh folder.
    pub(crate) fn prepared() -> Self {
        Self::prepared_in(TempDir::new().unwrap(), &[])
    }

    /// Prepares one in `home`, with `settings` in the environment.
    pub(crate) fn prepared_in(home: TempDir, settings: &[(&str, &str)]) -> Self {
        let mut command = program();
        command.args(["init", "--public-url", ORIGIN, "--json", "--data"]);
        command.arg(home.path().join("data"));
        command.envs(settings.iter().copied());
        let done = run(&mut command, "").exits(0).json();
        let token = done["token"].as_str().expect("init prints a token");
        Self {
            token: token.to_owned(),
            home,
        }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Room for files beside the data folder.
    pub(crate) fn beside(&self) -> &Path {
        self.home.path()
    }

    /// Serves the folder, on a port of the system's choice, with `settings` in the environment.
    pub(crate) fn serve(&self, settings: &[(&str, &str)]) -> Server {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(self.data()).envs(settings.iter().copied());
        Server::start(&mut command)
    }

    /// The operator, as a client of a server over this folder.
    pub(crate) fn operator(&self, server: &Server) -> Client {
        Client::new(server.url(), Some(&self.token))
    }
}
