//! Which proxy a request goes through, and the variable that says so: what cannot be reached is then not the cloud.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use super::host_of;

/// The proxies of this process's variables, as reqwest takes them.
pub(crate) struct Proxies(Option<Matcher>);

pub struct Proxy {
    pub text: String,
    /// Whether the name of the host is looked up by this machine (`socks5`), and not by the proxy (`socks5h`).
    pub looks_up_here: bool,
}

impl Proxies {
    pub(crate) fn of_system() -> Self {
        Self(Some(Matcher::from_system()))
    }

    pub const fn none() -> Self {
        Self(None)
    }

    /// The proxy to that address, with the variable that names it. Its user name and password are left out.
    pub fn of(&self, url: &Url) -> Option<Proxy> {
        let found = self.0.as_ref()?.intercept(&url.as_str().parse().ok()?)?;
        let proxy = Url::parse(&found.uri().to_string()).ok()?;
        let names = match url.scheme() {
            "https" => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
            _ => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        // An empty one hides its other spelling, and is no proxy.
        let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
        let name = names.iter().find(|name| set(name)).map(|name| format!(" ({name})")).unwrap_or_default();
        let looks_up_here = matches!(proxy.scheme(), "socks4" | "socks5");
        Some(Proxy { text: format!("the proxy {}{name}", host_of(&proxy)), looks_up_here })
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxies")
    }
}
