//! clouds.yaml and secure.yaml, through the search for credentials. The two files stand in one input with a line of eight
//! dashes between them.
#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use osvpn::cloud::Credentials;
use osvpn::cloud::credentials::Sources;
use tempfile::TempDir;

static HOME: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
});

fuzz_target!(|data: &[u8]| {
    let line = b"\n--------\n";
    let split = data.windows(line.len()).position(|window| window == line);
    let (clouds, secure) = split.map_or((data, &b""[..]), |at| (&data[..at], &data[at + line.len()..]));
    fs::write(HOME.path().join("clouds.yaml"), clouds).unwrap();
    fs::write(HOME.path().join("secure.yaml"), secure).unwrap();
    let sources = Sources {
        config_dirs: vec![HOME.path().to_owned()],
        ..Sources::new(BTreeMap::new(), HOME.path().to_owned(), None)
    };
    for name in [None, Some("prod")] {
        let said = match Credentials::find(&sources, name) {
            Ok(found) => {
                let credentials = &found.credentials;
                assert!(credentials.auth_url.ends_with("/v3"), "{}", credentials.auth_url);
                format!("{} {} {}", credentials.method.in_words(), found.origin, found.warnings.join(" "))
            }
            Err(error) => error.to_string(),
        };
        assert!(!said.contains(|c: char| c.is_control()), "{said:?}");
    }
});
