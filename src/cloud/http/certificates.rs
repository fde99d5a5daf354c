//! The certificates that settings name: authorities in a file or a directory, and this machine's own.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use reqwest::{Certificate, Identity};
use secrecy::zeroize::Zeroizing;

use crate::cloud::credentials::{ClientCertificate, NamedFile};
use crate::cloud::error::{Error, ErrorDetail, ErrorKind};

/// Much more than all authorities of a system, in bytes.
const LARGEST: u64 = 16 << 20;
/// Where systems keep all authorities in one file.
const USUAL: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The authorities of a PEM file, or of all such files of a directory, as Python's requests takes both.
pub fn authorities(file: &NamedFile) -> Result<Vec<Certificate>, Error> {
    let refused = |reason: &str| {
        let usual = USUAL.iter().find(|path| Path::new(path).exists());
        let usual = usual.map(|path| format!(" The system's own are in {path}.")).unwrap_or_default();
        refusal(file, &format!("{reason}.{usual}"))
    };
    if file.path.is_dir() {
        let found: Vec<_> =
            listed(&file.path).iter().filter_map(|path| read(path).ok()).flat_map(|pem| parse(&pem)).collect();
        return if found.is_empty() {
            Err(refused("no file in this directory is a PEM certificate"))
        } else {
            Ok(found)
        };
    }
    let bytes = read(&file.path).map_err(|error| refused(&why(&error)))?;
    let found = parse(&bytes);
    if !found.is_empty() {
        return Ok(found);
    }
    // DER: a SEQUENCE with its length in two bytes.
    Err(refused(if bytes.starts_with(&[0x30, 0x82]) {
        "it is in DER form, and PEM is needed (openssl x509 -inform der -in FILE -out FILE.pem)"
    } else if bytes.windows(12).any(|part| part == b"PRIVATE KEY-") {
        "it has a private key, but no certificate"
    } else {
        "there is no PEM certificate in it"
    }))
}

pub fn client(client: &ClientCertificate) -> Result<Identity, Error> {
    let ClientCertificate { certificate, key } = client;
    let mut pem =
        Zeroizing::new(read(&certificate.path).map_err(|error| refusal(certificate, &format!("{}.", why(&error))))?);
    if let Some(key) = key {
        let key = Zeroizing::new(read(&key.path).map_err(|error| refusal(key, &format!("{}.", why(&error))))?);
        pem.push(b'\n');
        pem.extend_from_slice(&key);
    }
    let has = |text: &[u8]| pem.windows(text.len()).any(|part| part == text);
    if has(b"ENCRYPTED") {
        let reason =
            "the private key is encrypted, and osvpn does not ask for passphrases (openssl pkey -in KEY -out PLAIN).";
        return Err(refusal(key.as_ref().unwrap_or(certificate), reason));
    }
    Identity::from_pem(&pem).map_err(|_| {
        let reason = if !has(b"BEGIN CERTIFICATE") {
            "there is no PEM certificate in it."
        } else if key.is_none() {
            "there is no private key in it; name its file too (key in clouds.yaml, or OS_KEY)."
        } else {
            "certificate and key do not form a pair in PEM form."
        };
        refusal(certificate, reason)
    })
}

fn refusal(file: &NamedFile, reason: &str) -> Error {
    let NamedFile { setting, path } = file;
    Error::new(
        ErrorKind::Credentials,
        format!("The certificates of {setting} cannot be used: {}: {reason}", path.display()),
    )
    .with_detail(ErrorDetail::CertificateFile)
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory, and a file is needed".to_owned(),
        _ => super::failure::root(error),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(pem: &[u8]) -> Vec<Certificate> {
    Certificate::from_pem_bundle(pem).unwrap_or_default()
}

/// The files of a directory that OpenSSL would look at, `HASH.N`; without any, those with a usual ending.
fn listed(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    let ending = |path: &PathBuf| path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_owned();
    let is_hash = |path: &&PathBuf| {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        stem.len() == 8 && stem.chars().all(|c| c.is_ascii_hexdigit()) && ending(path).parse::<u32>().is_ok()
    };
    let hashed: Vec<PathBuf> = files.iter().filter(is_hash).cloned().collect();
    if hashed.is_empty() {
        files.retain(|path| matches!(ending(path).as_str(), "pem" | "crt" | "cer" | "cert"));
        return files;
    }
    hashed
}
