//! Addresses as people write them: with the version or without, with a slash or two too many, with the path of a request
//! behind.

use reqwest::Url;

/// Why a text is no address of Identity v3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthUrlProblem {
    #[error("this is not a URL{}", .0.map_or("", Mistake::hint))]
    NoUrl(Option<Mistake>),
    #[error(
        "this is neither an http:// nor an https:// address{}",
        if *.is_bare { "; write https:// before the host" } else { "" }
    )]
    NoHttp { is_bare: bool },
    #[error("a user name and password do not belong into the address")]
    Credentials,
}

/// What makes a text no URL, where that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    Zone,
    NoBrackets,
    Blank,
    NoScheme,
}

impl Mistake {
    fn of(text: &str) -> Option<Self> {
        let host = text.split_once("://").map_or(text, |(_, rest)| rest).split('/').next().unwrap_or_default();
        if host.contains('%') && host.contains(':') {
            Some(Self::Zone)
        } else if host.matches(':').count() > 1 && !host.starts_with('[') {
            Some(Self::NoBrackets)
        } else if text.contains(char::is_whitespace) {
            Some(Self::Blank)
        } else if text.contains("://") {
            None
        } else {
            Some(Self::NoScheme)
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Zone => "; a URL cannot contain an address with a zone (%)",
            Self::NoBrackets => "; write an IPv6 address in brackets, as in http://[2001:db8::1]:5000/v3",
            Self::Blank => "; there is a blank in it",
            Self::NoScheme => "; it begins with https:// or http://",
        }
    }
}

/// Identity v3's address, with or without `/v3` in the setting.
pub fn keystone(text: &str, warnings: &mut Vec<String>) -> Result<String, AuthUrlProblem> {
    let mut url = Url::parse(text).map_err(|_| AuthUrlProblem::NoUrl(Mistake::of(text)))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(AuthUrlProblem::NoHttp { is_bare: !text.contains("://") });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AuthUrlProblem::Credentials);
    }
    let local = url.host_str().is_none_or(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "http" && !local {
        warnings.push(
            "The auth_url is not https: anyone on the network path can read the password and the token.".to_owned(),
        );
    }
    let path = segments(&url);
    let mut kept: Vec<&str> = path.iter().map(String::as_str).collect();
    if let [.., "auth", "tokens"] = kept.as_slice() {
        kept.truncate(kept.len() - 2);
    } else if let [.., "v2.0", "tokens"] = kept.as_slice() {
        kept.truncate(kept.len() - 1);
    }
    let is_old = matches!(kept.last(), Some(&("v2.0" | "v2")));
    while matches!(kept.last(), Some(&("v3" | "v2.0" | "v2"))) {
        kept.pop();
    }
    let behind = path[kept.len()..].join("/");
    if is_old && behind == "v2.0" {
        warnings.push("The auth_url ends in /v2.0; Identity v2 no longer exists, so /v3 is used.".to_owned());
    } else if !matches!(behind.as_str(), "" | "v3") {
        warnings.push(format!("The auth_url ends in /{behind}, where only /v3 belongs; that is used."));
    }
    kept.push("v3");
    url.set_path(&kept.join("/"));
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.to_string())
}

/// Neutron's address, with or without `/v2.0` in it.
pub fn network(text: &str) -> Option<Url> {
    let mut url =
        Url::parse(text.trim()).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))?;
    let mut path = segments(&url);
    if path.last().is_none_or(|last| last != "v2.0") {
        path.push("v2.0".to_owned());
    }
    url.set_path(&path.join("/"));
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// The parts of the path. Slashes that stand twice or at the end mean nothing.
fn segments(url: &Url) -> Vec<String> {
    url.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
