//! Who the user is, as clouds.yaml, secure.yaml, clouds-public.yaml and `OS_*` variables say it.

#![allow(clippy::unwrap_used)] // Clippy's exemption for tests does not reach the functions they share.

use std::path::Path;

use osvpn::cloud::credentials::{
    ApplicationCredential, Credentials, Domain, FindError, Found, Method, Named, Origin, Outcome, Place, Sources,
};
use osvpn::cloud::{Error, ErrorKind, RegionId};
use secrecy::ExposeSecret;
use tempfile::TempDir;

struct Machine {
    home: TempDir,
    sources: Sources,
}

/// A machine with these files, relative to the home directory, and variables. The current directory is `~/work`.
fn machine(files: &[(&str, &str)], vars: &[(&str, &str)]) -> Machine {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let config_dirs = ["work", ".config/openstack", "etc"].map(|dir| home.path().join(dir)).to_vec();
    let sources = Sources {
        vars: vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        cwd: home.path().join("work"),
        config_dirs,
        home: Some(home.path().to_owned()),
    };
    Machine { home, sources }
}

impl Machine {
    fn find(&self, choice: Option<&str>) -> Result<Found, FindError> {
        Credentials::find(&self.sources, choice)
    }
}

const USER: &str = ".config/openstack/clouds.yaml";
const OPENRC: [(&str, &str); 6] = [
    ("OS_AUTH_URL", "https://api.nz-por-1.catalystcloud.io:5000/v3"),
    ("OS_USERNAME", "jo@example.nz"),
    ("OS_PASSWORD", " 0123 hunter2"),
    ("OS_USER_DOMAIN_NAME", "Default"),
    ("OS_PROJECT_ID", "6e85843212a64612a5937071fdaceba6"),
    ("OS_REGION_NAME", "nz-por-1"),
];

fn password(found: &Found) -> &str {
    match &found.credentials.method {
        Method::Password { password, .. } => password.expose_secret(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_openrc_is_understood_and_its_password_is_kept_to_the_letter() {
    let found = machine(&[], &OPENRC).find(None).unwrap();
    assert_eq!(found.origin, Origin::Environment);
    assert_eq!(password(&found), " 0123 hunter2");
    assert_eq!(found.credentials.auth_url, "https://api.nz-por-1.catalystcloud.io:5000/v3");
    assert_eq!(found.credentials.project, Some(Named::Id("6e85843212a64612a5937071fdaceba6".to_owned())));
    assert_eq!(found.credentials.region, Some(RegionId::from("nz-por-1")));
    assert_eq!(found.warnings, [""; 0]);
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn a_token_of_a_multi_factor_openrc_is_used_as_it_is_and_its_user_is_who_signs_in_again() {
    let vars = [
        ("OS_AUTH_URL", "https://keystone.example:5000/"),
        ("OS_AUTH_TYPE", "token"),
        ("OS_TOKEN", "gAAAA"),
        ("OS_USERNAME", "jo"),
        ("OS_PROJECT_ID", "p"),
        ("OS_PASSWORD", ""),
    ];
    let found = machine(&[], &vars).find(None).unwrap();
    let Method::Token { token, user } = &found.credentials.method else { panic!("{:?}", found.credentials) };
    assert_eq!((token.expose_secret(), user.as_ref().map(Named::text).as_deref()), ("gAAAA", Some("jo")));
    assert_eq!(found.credentials.auth_url, "https://keystone.example:5000/v3");
    assert_eq!(found.credentials.project, Some(Named::Id("p".to_owned())), "for the sign-in after it");
    assert_eq!(found.warnings, [""; 0]);
}

#[test]
fn a_token_left_behind_by_an_earlier_openrc_is_used_but_said() {
    let vars: Vec<_> = OPENRC.into_iter().chain([("OS_TOKEN", "gAAAA")]).collect();
    let found = machine(&[], &vars).find(None).unwrap();
    assert!(matches!(found.credentials.method, Method::Token { .. }));
    assert!(found.warnings[0].contains("OS_TOKEN") && found.warnings[0].contains("unset"), "{:?}", found.warnings);
}

#[test]
fn a_password_or_passcode_that_is_all_that_is_missing_is_left_to_be_asked_for() {
    let vars = [("OS_AUTH_URL", "https://k"), ("OS_USERNAME", "jo"), ("OS_PASSWORD", "")];
    let found = machine(&[], &vars).find(None).unwrap();
    assert!(matches!(&found.credentials.method, Method::PasswordToAsk { user } if user.text() == "jo"));
    let lacking = found.lacks().unwrap().to_string();
    assert_eq!(lacking, "The OS_* variables lack OS_PASSWORD.");
    for (rest, is_lacking) in [("", true), (", password: x", false)] {
        let auth = format!("auth: {{auth_url: 'https://a', username: jo{rest}}}");
        let multi = "auth_type: v3multifactor, auth_methods: [v3password, v3totp], ";
        for kind in ["", multi] {
            let text = format!("clouds: {{c: {{{kind}{auth}}}}}");
            let found = machine(&[(USER, &text)], &[]).find(None).unwrap();
            assert_eq!(found.lacks().is_some(), is_lacking, "{text}");
            assert_eq!(matches!(found.credentials.method, Method::Password { .. }), !is_lacking, "{text}");
        }
    }
}

#[test]
fn what_an_openrc_lacks_is_named_to_the_letter_and_an_empty_variable_is_not_set() {
    let lacking = |vars: &[(&str, &str)]| match machine(&[], vars).find(None).unwrap_err() {
        FindError::Missing { missing, origin: Origin::Environment, .. } => missing,
        other => panic!("{other:?}"),
    };
    assert_eq!(lacking(&[("OS_USERNAME", "jo"), ("OS_PASSWORD", "")]), ["OS_AUTH_URL", "OS_PASSWORD"]);
    assert_eq!(lacking(&[("OS_PASSWORD", "x")]), ["OS_AUTH_URL", "OS_USERNAME or OS_USER_ID"]);
    assert_eq!(
        lacking(&[("OS_AUTH_URL", "https://k"), ("OS_APPLICATION_CREDENTIAL_ID", "i")]),
        ["OS_APPLICATION_CREDENTIAL_SECRET"]
    );
    let error = Error::from(machine(&[], &[("OS_TOKEN", "hunter2")]).find(None).unwrap_err());
    assert_eq!(error.kind, ErrorKind::Credentials);
    assert_eq!(error.message, "The OS_* variables lack OS_AUTH_URL.");
}

#[test]
fn the_only_cloud_of_the_first_file_is_taken_with_its_secrets_from_beside_it() {
    let clouds = "clouds:\n  catalyst:\n    auth:\n      auth_url: https://a:5000\n      username: jo\n      project_name: p\n    region: nz-hlz-1\n";
    let secure = "clouds:\n  catalyst:\n    auth:\n      password: 0123\n";
    let found = machine(
        &[(USER, clouds), ("etc/clouds.yaml", "clouds: {other: {}}"), (".config/openstack/secure.yaml", secure)],
        &[("OS_REGION_NAME", "")],
    )
    .find(None)
    .unwrap();
    assert_eq!(found.origin.to_string(), "cloud `catalyst` in ~/.config/openstack/clouds.yaml");
    assert_eq!(password(&found), "0123");
    assert_eq!(found.credentials.region, Some(RegionId::from("nz-hlz-1")));
    let domain = Domain::Id("default".to_owned());
    assert_eq!(found.credentials.project, Some(Named::Name { name: "p".to_owned(), domain }));
}

#[test]
fn a_chosen_cloud_goes_before_the_environment_and_the_environment_before_the_file() {
    let clouds = "clouds:\n  a: &a\n    auth: {auth_url: 'http://a', token: t}\n";
    let mut machine = machine(&[(USER, clouds)], &OPENRC);
    assert_eq!(machine.find(None).unwrap().origin, Origin::Environment);
    let chosen = machine.find(Some("a")).unwrap();
    assert!(matches!(chosen.origin, Origin::Cloud { .. }));
    assert_eq!(chosen.credentials.region, Some(RegionId::from("nz-por-1")), "OS_REGION_NAME completes a cloud");
    machine.sources.vars.insert("OS_CLOUD".to_owned(), "a".to_owned());
    assert!(matches!(machine.find(None).unwrap().origin, Origin::Cloud { .. }));
    assert_eq!(machine.find(Some("envvars")).unwrap().origin, Origin::Environment);
}

#[test]
fn the_file_a_variable_names_goes_before_all_others_then_the_current_directory() {
    let cloud = |name: &str| format!("clouds: {{{name}: {{auth: {{auth_url: 'https://a', token: t}}}}}}");
    let json = r#"{"clouds": {"json": {"auth": {"auth_url": "https://a", "token": "t"}}}}"#;
    let (named, user) = (cloud("named"), cloud("user"));
    let mut machine = machine(
        &[("mine.yaml", &named), ("work/clouds.json", json), (USER, &user)],
        &[("OS_CLIENT_CONFIG_FILE", "~/mine.yaml")],
    );
    let name = |machine: &Machine| machine.find(None).unwrap().origin.to_string();
    assert_eq!(name(&machine), "cloud `named` in ~/mine.yaml");
    machine.sources.vars.insert("OS_CLIENT_CONFIG_FILE".to_owned(), "~/gone.yaml".to_owned());
    let found = machine.find(None).unwrap();
    assert_eq!(found.origin.to_string(), "cloud `json` in ~/work/clouds.json");
    assert_eq!(found.warnings, ["OS_CLIENT_CONFIG_FILE names ~/gone.yaml, which does not exist."]);
}

#[test]
fn several_clouds_or_a_wrong_name_give_the_names_to_choose_from() {
    let machine = machine(&[(USER, "clouds: {prod: {}, dev: {}}")], &[]);
    let file = "~/.config/openstack/clouds.yaml".to_owned();
    let names = vec!["dev".to_owned(), "prod".to_owned()];
    let several = FindError::SeveralClouds { file: file.clone(), names: names.clone() };
    assert_eq!(machine.find(None).unwrap_err(), several);
    let wrong = FindError::NoSuchCloud { name: "Prod".to_owned(), file: Some(file), names };
    assert_eq!(machine.find(Some("Prod")).unwrap_err(), wrong);
}

#[test]
fn a_cloud_that_was_not_chosen_may_be_anything_and_one_that_was_may_not() {
    let clouds = "
x-odd: &odd
  region_name: [a]
clouds:
  one: &one
    auth: {auth_url: 'https://a', username: jo}
    region_name: r
  two: {<<: *one, region_name: [a]}
  three: nonsense
  four: {<<: *odd, auth: {auth_url: 'https://d', token: t}}
";
    let secure = "clouds: {one: {auth: {password: hunter2}}, two: {auth: [hunter2]}}";
    let machine = machine(&[(USER, clouds), (".config/openstack/secure.yaml", secure)], &[]);
    let found = machine.find(Some("one")).unwrap();
    assert_eq!((password(&found), &found.credentials.region), ("hunter2", &Some(RegionId::from("r"))));
    let names = ["four", "one", "three", "two"].map(str::to_owned).to_vec();
    assert!(matches!(machine.find(None), Err(FindError::SeveralClouds { names: found, .. }) if found == names));
    for (name, line) in [("two", "line 8, "), ("three", "line 9, "), ("four", "line 3, ")] {
        let error = machine.find(Some(name)).unwrap_err().to_string();
        assert!(error.contains(line), "{error}");
    }
}

#[test]
fn the_factors_of_a_multi_factor_cloud_are_a_list_or_one_text_with_commas() {
    for methods in ["[v3password, v3totp]", "'v3password, v3totp'", "v3password,v3totp"] {
        let auth = "auth: {auth_url: 'https://a', username: jo, password: x, passcode: 1}";
        let clouds = format!("clouds:\n  c:\n    auth_type: v3multifactor\n    auth_methods: {methods}\n    {auth}\n");
        let found = machine(&[(USER, &clouds)], &[]).find(None).unwrap();
        let Method::MultiFactor(factors) = found.credentials.method else { panic!("{methods}") };
        assert!(matches!(factors.as_slice(), [Method::Password { .. }, Method::Totp { .. }]), "{methods}");
    }
}

#[test]
fn nothing_found_lists_every_place_that_was_looked_at() {
    let machine = machine(&[(USER, "# nothing yet\n")], &[]);
    let FindError::NothingFound { looked } = machine.find(None).unwrap_err() else { panic!() };
    let file = |path: &str, outcome| {
        let place = Place::File(machine.home.path().join(path));
        assert!(looked.iter().any(|one| one.place == place && one.outcome == outcome), "{path}: {looked:?}");
    };
    file("work/clouds.yaml", Outcome::Absent);
    file(USER, Outcome::WithoutClouds);
    for name in ["OS_CLOUD", "OS_AUTH_URL", "OS_TOKEN"] {
        assert!(looked.iter().any(|one| one.place == Place::Variable(name) && one.outcome == Outcome::Absent));
    }
}

#[test]
fn anchors_merge_keys_and_older_names_work() {
    let clouds = "
x-common: &common
  auth: &auth
    auth_url: https://a:5000/v3/
    tenant_name: old
    domain_name: Default
    username: jo
  endpoint_type: internalURL
clouds:
  prod:
    <<: *common
    auth:
      <<: *auth
      password: 1e3
    regions: [nz-hlz-1, {name: nz-por-1, values: {x: 1}}]
    verify: no
    cacert: ~/ca.pem
    network: {anything: [1, 2]}
";
    let machine = machine(&[(USER, clouds)], &[]);
    let found = machine.find(None).unwrap();
    assert_eq!(password(&found), "1e3");
    assert_eq!(found.credentials.auth_url, "https://a:5000/v3");
    assert_eq!(found.credentials.interface, "internal");
    assert_eq!(found.credentials.region, Some(RegionId::from("nz-hlz-1")));
    let domain = Domain::Name("Default".to_owned());
    assert_eq!(found.credentials.project, Some(Named::Name { name: "old".to_owned(), domain }));
    assert!(found.credentials.tls.insecure);
    assert_eq!(found.credentials.tls.ca_file.as_deref(), Some(machine.home.path().join("ca.pem").as_path()));
    assert!(found.warnings[0].contains("Certificates are not checked"));
}

#[test]
fn a_profile_of_the_sites_own_is_used_and_the_stale_bundled_one_is_not() {
    let clouds = "clouds: {c: {profile: catalyst, auth: {username: jo, password: x}}}";
    let error = machine(&[(USER, clouds)], &[]).find(None).unwrap_err().to_string();
    assert!(error.contains("lacks auth.auth_url") && error.contains("Identity v2"), "{error}");
    let public = "public-clouds: {catalyst: {auth: {auth_url: 'https://site:5000', username: nobody}}}";
    let found = machine(&[(USER, clouds), ("etc/clouds-public.yaml", public)], &[]).find(None).unwrap();
    assert_eq!(found.credentials.auth_url, "https://site:5000/v3");
    let Method::Password { user: Named::Name { name, .. }, .. } = &found.credentials.method else { panic!() };
    assert_eq!(name, "jo");
}

#[test]
fn application_credentials_are_recognised_by_id_and_by_name() {
    let by = |auth: &str| {
        let clouds =
            format!("clouds: {{c: {{auth: {{auth_url: 'https://a', application_credential_secret: s, {auth}}}}}}}");
        match machine(&[(USER, &clouds)], &[]).find(None).unwrap().credentials.method {
            Method::ApplicationCredential { which, .. } => which,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(by("application_credential_id: 12"), ApplicationCredential::Id("12".to_owned()));
    let named = by("application_credential_name: n, user_id: u, project_name: ignored");
    assert_eq!(named, ApplicationCredential::Name { name: "n".to_owned(), user: Named::Id("u".to_owned()) });
}

#[test]
fn a_broken_file_is_reported_by_line_and_key_and_never_by_what_stands_there() {
    let message = |text: &str| machine(&[(USER, text)], &[]).find(None).unwrap_err().to_string();
    let wrong_type = message("clouds:\n  c:\n    auth:\n      username: jo\n      password: [hunter2, sesame]\n");
    assert!(
        wrong_type.starts_with("~/.config/openstack/clouds.yaml, line 5, `clouds.c.auth.password`: "),
        "{wrong_type}"
    );
    for broken in [
        wrong_type,
        message("clouds:\n  c:\n    auth:\n      password: \"hunter2 sesame\n"),
        message("clouds:\n  c:\n    auth: hunter2 sesame\n"),
        message("clouds: hunter2 sesame\n"),
        message("clouds:\n  c:\n    auth:\n      password: *hunter2\n"),
        message("clouds:\n  c:\n   auth:\n  \tpassword: hunter2 sesame: x\n"),
    ] {
        assert!(!broken.contains("hunter2") && !broken.contains("sesame"), "{broken}");
        assert!(broken.contains("line "), "{broken}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_reported_by_its_name() {
    let reason = |auth: &str| {
        let text = format!("clouds: {{c: {{{auth}}}}}");
        machine(&[(USER, &text)], &[]).find(None).unwrap_err().to_string()
    };
    assert!(reason("auth: {auth_url: keystone, token: t}").contains("`auth.auth_url`: this is not a URL"));
    assert!(
        reason("verify: perhaps, auth: {auth_url: 'https://a', token: t}")
            .contains("`verify`: this must be true or false")
    );
    assert!(reason("auth_type: v3oidcpassword, auth: {auth_url: 'https://a'}").contains("`auth_type`"));
}

#[test]
fn the_usual_directories_are_searched_in_order() {
    let vars = [("XDG_CONFIG_HOME".to_owned(), "/xdg".to_owned())].into();
    let sources = Sources::new(vars, Path::new("/here").to_owned(), Some(Path::new("/home/jo").to_owned()));
    let dirs: Vec<_> = sources.config_dirs.iter().map(|dir| dir.to_str().unwrap()).collect();
    if cfg!(target_os = "macos") {
        assert_eq!(dirs[1], "/home/jo/Library/Application Support/openstack");
    } else {
        assert_eq!(
            dirs,
            ["/here", "/xdg/openstack", "/home/jo/.config/openstack", "/etc/xdg/openstack", "/etc/openstack"]
        );
    }
}
