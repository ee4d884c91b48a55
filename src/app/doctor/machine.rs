//! What `goodstanding doctor` finds around the store: the settings, who may read the files, and whether the machine
//! gives what the service needs.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{good, warning, wrong};
use crate::app::{handles, master_key};
use crate::cli::Finding;
use crate::config::{Config, FILE_IN_DATA};

/// What is around the store, which no server uses.
pub(super) fn findings(config: &Config, file: Option<&Path>) -> Vec<Finding> {
    let mut findings = vec![settings(config, file), files(config)];
    findings.push(addresses(config));
    findings.push(open_files(config));
    findings.extend(certificate(config));
    findings
}

/// Where the settings come from: whoever wonders why one does not count sees which files were read.
fn settings(config: &Config, file: Option<&Path>) -> Finding {
    let in_data = config.data.join(FILE_IN_DATA);
    let mut from: Vec<String> = Vec::new();
    from.extend(in_data.is_file().then(|| in_data.display().to_string()));
    from.extend(file.map(|file| file.display().to_string()));
    let variables = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("GOODSTANDING_"));
    let mut variables: Vec<String> = variables.collect();
    variables.sort();
    from.extend(variables);
    let found = match from.is_empty() {
        true => "the defaults, since nothing else is set".to_owned(),
        false => format!("read from {}", from.join(", ")),
    };
    good(
        "settings",
        format!("{found}; the origin is {}", config.public_url),
    )
}

/// Whether others on this machine may read what is secret, and whether all files belong to whoever serves.
fn files(config: &Config) -> Finding {
    let key = config.master_key_file();
    if master_key::readable_by_others(&key) {
        return warning(
            "files",
            format!(
                "others on this machine may read the master key at {}",
                key.display()
            ),
            &format!(
                "chmod 600 {}; where somebody may have read it, `goodstanding key rotate-master`",
                key.display()
            ),
        );
    }
    let store = config.store_folder();
    match strangers(&config.data, &store) {
        Err((path, error)) => wrong(
            "files",
            format!("{} cannot be looked at: {error}", path.display()),
            "run this as the user who serves the folder",
        ),
        Ok(Some(Stranger { path, whose, all })) => wrong(
            "files",
            format!(
                "{} belongs to user {whose}, and the folder to user {all}: a server of that user cannot open it",
                path.display()
            ),
            &format!("chown -R {all} {}", config.data.display()),
        ),
        Ok(None) => good(
            "files",
            format!(
                "all below {} belong to the same user, and the master key to nobody else",
                config.data.display()
            ),
        ),
    }
}

/// A file that belongs to somebody else than the data folder.
struct Stranger {
    path: PathBuf,
    whose: u32,
    all: u32,
}

/// The first of them in the store; where it cannot be looked at, what cannot.
fn strangers(data: &Path, store: &Path) -> Result<Option<Stranger>, (PathBuf, io::Error)> {
    let owner = |path: &Path| match fs::symlink_metadata(path) {
        Ok(known) => Ok(known.uid()),
        Err(error) => Err((path.to_owned(), error)),
    };
    let all = owner(data)?;
    let unread = |error| (store.to_owned(), error);
    for entry in fs::read_dir(store).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let whose = owner(&path)?;
        if whose != all {
            return Ok(Some(Stranger { path, whose, all }));
        }
    }
    Ok(None)
}

/// Whether the service could listen where it is to.
fn addresses(config: &Config) -> Finding {
    let wanted = [Some(config.listen), config.operations.listen];
    let wanted = wanted.into_iter().flatten();
    let taken = wanted.clone().find_map(|address| {
        let refused = TcpListener::bind(address).err()?;
        Some((address, refused))
    });
    let named: Vec<String> = wanted.map(|address| address.to_string()).collect();
    match taken {
        None => good(
            "address",
            format!("{} can be listened on", named.join(" and ")),
        ),
        Some((address, refused)) => warning(
            "address",
            format!("{address} cannot be listened on now: {refused}"),
            "stop what listens there, or choose another address (`listen`, or `operations.listen`)",
        ),
    }
}

/// Whether as many connections can be served as are configured, as far as this process may open files.
fn open_files(config: &Config) -> Finding {
    let configured = config.limits().connections;
    let served = handles::within_limit(configured);
    match served < configured {
        false => good("open files", format!("enough for {configured} connections")),
        true => warning(
            "open files",
            format!("enough for {served} connections, and {configured} are configured"),
            "raise the limit for the service (LimitNOFILE in its unit, or ulimit -n), or lower \
             limits.connections",
        ),
    }
}

/// The certificate, where the service speaks TLS itself.
fn certificate(config: &Config) -> Option<Finding> {
    match config.tls() {
        Ok(None) => None,
        Ok(Some(_)) => Some(good(
            "certificate",
            "certificate and key are read and fit".into(),
        )),
        Err(error) => Some(wrong(
            "certificate",
            error.to_string(),
            "see to [tls] in the settings",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Health;
    use crate::config::Overrides;
    use std::os::unix::fs::PermissionsExt as _;

    fn config(data: &Path) -> Config {
        let overrides = Overrides {
            data: Some(data.to_owned()),
            listen: Some("127.0.0.1:0".parse().unwrap()),
            ..Overrides::default()
        };
        Config::load(&overrides).unwrap()
    }

    #[test]
    fn a_master_key_that_others_may_read_is_wrong() {
        let home = tempfile::tempdir().unwrap();
        let config = config(home.path());
        fs::create_dir_all(config.store_folder()).unwrap();
        let key = config.master_key_file();
        fs::write(&key, "secret").unwrap();
        let readable = |mode| {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            files(&config)
        };
        let found = readable(0o644);
        assert_eq!(found.health, Health::Warning);
        assert!(found.to_do.unwrap().starts_with("chmod 600 "));
        assert_eq!(readable(0o600).health, Health::Good);
    }

    #[test]
    fn an_address_that_is_taken_is_told_with_what_took_it_away() {
        let home = tempfile::tempdir().unwrap();
        let mut config = config(home.path());
        assert_eq!(addresses(&config).health, Health::Good);
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        config.listen = taken.local_addr().unwrap();
        let found = addresses(&config);
        assert_eq!(found.health, Health::Warning);
        assert!(
            found.found.contains(&config.listen.to_string()),
            "{}",
            found.found
        );
    }

    #[test]
    fn the_settings_name_the_files_that_were_read() {
        let home = tempfile::tempdir().unwrap();
        fs::write(
            home.path().join(FILE_IN_DATA),
            "public_url = \"https://r.example\"\n",
        )
        .unwrap();
        let config = config(home.path());
        let found = settings(&config, Some(Path::new("/etc/more.toml"))).found;
        assert!(
            found.contains(FILE_IN_DATA) && found.contains("/etc/more.toml"),
            "{found}"
        );
        assert!(
            found.ends_with("the origin is https://r.example"),
            "{found}"
        );
    }
}
