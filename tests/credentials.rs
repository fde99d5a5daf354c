//! Who the user is, as clouds.yaml, secure.yaml, clouds-public.yaml and `OS_*` variables say it.

use std::path::Path;

use osvpn::cloud::credentials::{
    ApplicationCredential, CredentialOrigin, Credentials, Domain, FindError, FoundCredentials, Method, Named,
    SearchOutcome, SearchedPlace, Sources,
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
    fn find(&self, choice: Option<&str>) -> Result<FoundCredentials, FindError> {
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

fn password(found: &FoundCredentials) -> &str {
    match &found.credentials.method {
        Method::Password { password, .. } => password.expose_secret(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_openrc_is_understood_and_its_password_is_kept_to_the_letter() {
    let found = machine(&[], &OPENRC).find(None).unwrap();
    assert_eq!(found.origin, CredentialOrigin::Environment);
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
        FindError::Missing { missing, origin: CredentialOrigin::Environment, .. } => missing,
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
    assert_eq!(machine.find(None).unwrap().origin, CredentialOrigin::Environment);
    let chosen = machine.find(Some("a")).unwrap();
    assert!(matches!(chosen.origin, CredentialOrigin::Cloud { .. }));
    assert_eq!(chosen.credentials.region, Some(RegionId::from("nz-por-1")), "OS_REGION_NAME completes a cloud");
    machine.sources.vars.insert("OS_CLOUD".to_owned(), "a".to_owned());
    assert!(matches!(machine.find(None).unwrap().origin, CredentialOrigin::Cloud { .. }));
    assert_eq!(machine.find(Some("envvars")).unwrap().origin, CredentialOrigin::Environment);
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
    let wrong = FindError::NoSuchCloud { name: "Prod".to_owned(), file: Some(file), names, looked: Vec::new() };
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
        let place = SearchedPlace::File(machine.home.path().join(path));
        assert!(looked.iter().any(|one| one.place == place && one.outcome == outcome), "{path}: {looked:?}");
    };
    file("work/clouds.yaml", SearchOutcome::Absent);
    file(USER, SearchOutcome::WithoutClouds);
    for name in ["OS_CLOUD", "OS_AUTH_URL", "OS_TOKEN"] {
        assert!(
            looked.iter().any(|one| one.place == SearchedPlace::Variable(name) && one.outcome == SearchOutcome::Absent)
        );
    }
}

#[test]
fn a_file_without_clouds_is_named_with_what_it_lacks() {
    for text in ["", "clouds:\n", "clouds: {}\n", "prod: {auth: {}}\n"] {
        let machine = machine(&[(USER, text)], &[]);
        let wrong = machine.find(Some("prod")).unwrap_err().to_string();
        let said = "There is no cloud `prod`: ~/.config/openstack/clouds.yaml has no cloud below `clouds:`.";
        assert_eq!(wrong, said, "{text}");
        let nothing = machine.find(None).unwrap_err().to_string();
        assert!(nothing.contains("clouds.yaml has no cloud below `clouds:`"), "{text}: {nothing}");
    }
}

#[test]
fn a_directory_in_place_of_a_file_and_a_list_in_place_of_a_region_are_called_that() {
    let here = machine(&[(USER, "")], &[("OS_CLIENT_CONFIG_FILE", "~/.config/openstack")]);
    let FindError::NothingFound { looked } = here.find(None).unwrap_err() else { panic!() };
    assert_eq!(looked[0].outcome, SearchOutcome::Directory);
    let text = "clouds:\n  c:\n    region_name: [a, b]\n    auth: {auth_url: 'https://a', token: t}\n";
    let error = machine(&[(USER, text)], &[]).find(None).unwrap_err().to_string();
    assert!(error.contains("`clouds.c.region_name`") && error.contains("below `regions:`"), "{error}");
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
    let authorities = found.credentials.tls.authorities.unwrap();
    assert_eq!(authorities.setting, "cacert (~/.config/openstack/clouds.yaml, line 17)");
    assert_eq!(authorities.path, machine.home.path().join("ca.pem"));
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

#[test]
fn what_is_plainly_no_value_is_named_with_its_place_and_never_sent() {
    let cloud = |secret: &str| {
        let text = format!("clouds:\n  c:\n    auth:\n      auth_url: https://a\n      username: jo\n      {secret}\n");
        machine(&[(USER, &text)], &[]).find(None)
    };
    for (secret, said) in [
        ("password: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6162", "Ansible Vault"),
        ("password: !vault 6162", "`!vault`"),
        ("password: !env PW", "`!env`"),
        ("password: \"$ANSIBLE_VAULT;1.1;AES256\\n6162\"", "Ansible Vault"),
        ("password: 'ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]'", "SOPS"),
        ("password: ${OS_PASSWORD}", "`${OS_PASSWORD}`"),
        ("password: $OS_PASSWORD", "`$OS_PASSWORD`"),
        ("password: '%OS_PASSWORD%'", "`%OS_PASSWORD%`"),
        ("password: \"{{ lookup('env', 'OS_PASSWORD') }}\"", "was not replaced"),
        ("password: <your password>", "placeholder"),
        ("password: '********'", "placeholder"),
        ("password: op://cloud/prod/password", "names the place"),
        ("password: |\n        -----BEGIN PRIVATE KEY-----\n        MIIE", "PEM"),
    ] {
        let error = cloud(secret).unwrap_err().to_string();
        assert!(error.contains(said), "{secret}: {error}");
        assert!(
            error.starts_with("cloud `c` in ~/.config/openstack/clouds.yaml, line 6, `auth.password`: "),
            "{error}"
        );
        assert!(!error.contains("6162"), "{error}");
    }
    for right in ["$ecret1", "${a", "a${b}c", "<3", "p%40ss%", "$", "!vault", "[x]", "ENC", "{{"] {
        assert_eq!(password(&cloud(&format!("password: '{right}'")).unwrap()), right);
    }
    assert_eq!(password(&cloud("password: !!str 0123").unwrap()), "0123");

    let variable = |name, value| {
        let vars: Vec<_> = OPENRC.into_iter().filter(|(set, _)| *set != name).chain([(name, value)]).collect();
        machine(&[], &vars).find(None).unwrap_err().to_string()
    };
    for (name, value, said) in [
        ("OS_AUTH_URL", "https://${HOST}:5000/v3", "`${HOST}` was not replaced"),
        ("OS_USERNAME", "$USER", "`$USER` was not replaced"),
        ("OS_PASSWORD", "$OS_PASSWORD_INPUT", "unset it to be asked"),
        ("OS_PASSWORD", "$env:OS_PW", "`$env:OS_PW` was not replaced"),
        ("OS_CACERT", "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----", "give its path"),
        ("OS_TOKEN", "+------+\n| id | gAAAA |", "more here than the token"),
        ("OS_TRUST_ID", "7", "trusts are not supported"),
        ("OS_INTERFACE", "outside", "public, internal or admin"),
        ("OS_VERIFY", "/etc/ssl/ca.pem", "belongs into cacert"),
    ] {
        let error = variable(name, value);
        assert!(error.starts_with(&format!("OS_* variables, `{name}`: ")) && error.contains(said), "{error}");
    }
}

#[test]
fn what_another_cloud_or_an_unused_setting_has_wrong_harms_nobody() {
    let clouds = "
clouds:
  mine: {auth: {auth_url: 'https://a', token: t, password: '${PW}'}, regions: [{name: r}, {name: s, values: {interface: [x]}}]}
  vaulted: {auth: {password: !vault 6162}, regions: nonsense}
";
    let found = machine(&[(USER, clouds)], &[]).find(Some("mine")).unwrap();
    assert!(matches!(found.credentials.method, Method::Token { .. }));
}

#[test]
fn values_of_regions_are_laid_over_the_cloud() {
    let clouds = "
clouds:
  farm:
    auth: {username: jo, password: x}
    regions:
      - name: alpha
        values: {auth: {auth_url: 'https://alpha'}, network_endpoint_override: 'https://net-alpha'}
      - name: beta
        values: {auth: {auth_url: 'https://beta'}, network_endpoint_override: 'https://net-beta/v2.0/'}
      - gamma
";
    let sign_in = |region: &str| machine(&[(USER, clouds)], &[("OS_REGION_NAME", region)]).find(None);
    let first = sign_in("").unwrap();
    assert_eq!(first.credentials.auth_url, "https://alpha/v3");
    assert!(first.warnings[0].contains("OS_REGION_NAME (alpha, beta, gamma)"), "{:?}", first.warnings);
    let named = sign_in("beta").unwrap();
    assert_eq!((named.credentials.auth_url.as_str(), named.warnings.len()), ("https://beta/v3", 0));
    let network: Vec<_> =
        named.credentials.network_endpoints.iter().map(|one| (&one.region, one.url.as_str())).collect();
    let (alpha, beta) = (Some(RegionId::from("alpha")), Some(RegionId::from("beta")));
    assert_eq!(network, [(&beta, "https://net-beta/v2.0"), (&alpha, "https://net-alpha/v2.0")]);
    let unlisted = sign_in("delta").unwrap_err().to_string();
    assert!(unlisted.contains("lacks auth.auth_url") && unlisted.contains("(alpha, beta, gamma)"), "{unlisted}");
}

#[test]
fn an_address_is_used_up_to_its_version_and_what_is_wrong_with_it_is_said() {
    let find = |url: &str| machine(&[], &[("OS_AUTH_URL", url), ("OS_TOKEN", "t")]).find(None);
    for (written, used, warnings) in [
        ("https://k:5000", "https://k:5000/v3", 0),
        ("https://k:5000/v3/", "https://k:5000/v3", 0),
        ("https://k:5000//v3//", "https://k:5000/v3", 0),
        ("https://k/identity", "https://k/identity/v3", 0),
        ("https://k/v3/v3", "https://k/v3", 1),
        ("https://k/v3/auth/tokens", "https://k/v3", 1),
        ("https://k/v2.0/tokens", "https://k/v3", 1),
        ("https://[2001:db8::1]:13000/v2.0", "https://[2001:db8::1]:13000/v3", 1),
        (" \u{feff}https://k/v3\r", "https://k/v3", 0),
    ] {
        let found = find(written).unwrap();
        assert_eq!((found.credentials.auth_url.as_str(), found.warnings.len()), (used, warnings), "{written}");
    }
    for (written, said) in [
        ("https://2001:db8::1:5000/v3", "in brackets"),
        ("https://[fe80::1%25eth0]:5000/v3", "zone"),
        ("keystone.example:5000/v3", "write https:// before"),
        ("keystone example", "blank"),
        ("ftp://k/v3", "neither"),
        ("https://jo:x@k/v3", "do not belong"),
    ] {
        let error = find(written).unwrap_err().to_string();
        assert!(error.contains(said), "{written}: {error}");
    }
}

#[test]
fn a_line_end_is_no_part_of_a_value_and_quotes_around_all_of_them_are_none_either() {
    let with = |change: &dyn Fn(&str) -> String| {
        let changed: Vec<_> = OPENRC.iter().map(|(name, value)| (*name, change(value))).collect();
        let vars: Vec<_> = changed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        machine(&[], &vars).find(None).unwrap()
    };
    for found in [with(&|value| format!("{value}\r")), with(&|value| format!("\"{value}\""))] {
        assert_eq!(password(&found), " 0123 hunter2");
        assert_eq!(found.credentials.project, Some(Named::Id("6e85843212a64612a5937071fdaceba6".to_owned())));
    }
    assert!(with(&|value| format!("'{value}'")).warnings[0].contains("OS_AUTH_URL"));
    let mut alone = machine(&[], &OPENRC);
    alone.sources.vars.insert("OS_PASSWORD".to_owned(), "\"hunter2\"".to_owned());
    let found = alone.find(None).unwrap();
    assert_eq!(password(&found), "\"hunter2\"", "it may be the password's own");
    assert!(found.credentials.method.is_quoted());
    assert!(!machine(&[], &OPENRC).find(None).unwrap().credentials.method.is_quoted());
}

#[test]
fn what_a_cloud_lacks_comes_from_variables_unless_an_openrc_was_sourced() {
    let clouds = "clouds: {c: {auth: {auth_url: 'https://a', username: jo, password: !vault 6162}, cacert: own.pem}}";
    let vars = [("OS_CLOUD", "c"), ("OS_PASSWORD", "hunter2"), ("OS_PROJECT_NAME", "p"), ("OS_CACERT", "/ca.pem")];
    let mut machine = machine(&[(USER, clouds)], &vars);
    let found = machine.find(None).unwrap();
    let project = found.credentials.project.as_ref().map(Named::text);
    assert_eq!((password(&found), project.as_deref()), ("hunter2", Some("p")));
    assert_eq!(found.credentials.tls.authorities.unwrap().setting, "OS_CACERT", "as the openstack command takes it");
    machine.sources.vars.remove("OS_CLOUD");
    assert_eq!(
        password(&machine.find(None).unwrap()),
        "hunter2",
        "a password alone is no openrc, and there is a cloud"
    );
    let here = "clouds: {c: {auth: {auth_url: 'https://elsewhere', username: jo}}}";
    std::fs::create_dir(machine.home.path().join("work")).unwrap();
    std::fs::write(machine.home.path().join("work/clouds.yaml"), here).unwrap();
    let found = machine.find(None).unwrap();
    assert!(matches!(found.credentials.method, Method::PasswordToAsk { .. }), "others may have written that file");
    assert!(found.lacks().unwrap().to_string().contains("OS_CLIENT_CONFIG_FILE"));
    std::fs::remove_file(machine.home.path().join("work/clouds.yaml")).unwrap();
    machine.sources.vars.insert("OS_CLOUD".to_owned(), "c".to_owned());
    machine.sources.vars.insert("OS_AUTH_URL".to_owned(), "https://other".to_owned());
    assert!(machine.find(None).unwrap_err().to_string().contains("`!vault`"), "that password is another cloud's");
}

#[test]
fn settings_of_the_openstack_command_work_or_are_named() {
    let find = |more: &[(&'static str, &'static str)]| {
        let vars: Vec<_> = OPENRC.into_iter().chain(more.iter().copied()).collect();
        machine(&[], &vars).find(None).unwrap()
    };
    for (name, value, warned) in [
        ("OS_IDENTITY_API_VERSION", "3", None),
        ("OS_IDENTITY_API_VERSION", "2.0", Some("OS_IDENTITY_API_VERSION")),
        ("OS_AUTH_TYPE", "v2password", Some("OS_AUTH_TYPE")),
        ("OS_SYSTEM_SCOPE", "all", Some("OS_SYSTEM_SCOPE")),
        ("OS_API_TIMEOUT", "5", Some("OS_API_TIMEOUT")),
        ("OS_KEY", "k.pem", Some("OS_KEY")),
        ("OS_FORCE_IPV4", "1", None),
    ] {
        let found = find(&[(name, value)]);
        assert_eq!(password(&found), " 0123 hunter2");
        let is_named = found.warnings.iter().any(|text| warned.is_some_and(|name| text.contains(name)));
        assert_eq!(
            (is_named, found.warnings.len()),
            (warned.is_some(), usize::from(warned.is_some())),
            "{name}={value}"
        );
    }
    let tenant = [
        ("OS_PROJECT_ID", ""),
        ("OS_TENANT_NAME", "p"),
        ("OS_DEFAULT_DOMAIN", "d"),
        ("OS_ENDPOINT_TYPE", "internalURL"),
    ];
    let found = find(&tenant);
    let domain = Domain::Id("d".to_owned());
    assert_eq!(found.credentials.project, Some(Named::Name { name: "p".to_owned(), domain }));
    assert_eq!(found.credentials.interface, "internal");
    let found = find(&[("OS_CERT", "c.pem"), ("OS_KEY", "k.pem")]);
    assert_eq!(found.credentials.tls.client.unwrap().key.unwrap().setting, "OS_KEY");
}

#[test]
fn a_way_to_sign_in_that_is_not_supported_is_named_with_those_that_are() {
    for kind in ["v3oidcpassword", "v3oidcaccesstoken", "v3samlpassword", "v3kerberos", "none"] {
        let vars: Vec<_> = OPENRC.into_iter().chain([("OS_AUTH_TYPE", kind)]).collect();
        let error = machine(&[], &vars).find(None).unwrap_err().to_string();
        for word in [kind, "OS_AUTH_TYPE", "application credential", "OS_TOKEN"] {
            assert!(error.contains(word), "{error}");
        }
    }
}

#[test]
fn a_file_in_another_encoding_and_one_of_two_documents_are_named() {
    let say = |bytes: &[u8]| {
        let machine = machine(&[(USER, "")], &[]);
        std::fs::write(machine.home.path().join(USER), bytes).unwrap();
        machine.find(None)
    };
    let text = "clouds:\r\n  c: {auth: {auth_url: 'https://a', token: t}}\r\n";
    say(format!("\u{feff}{text}").as_bytes()).unwrap();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, said) in [
        ([&[0xff, 0xfe][..], &utf16].concat(), "UTF-16"),
        (utf16.clone(), "UTF-16"),
        (b"# b\xfcro\nclouds: {}\n".to_vec(), "line 1: the file is not UTF-8"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6162\n".to_vec(), "Ansible Vault"),
        (format!("{text}---\n# old\nclouds: {{}}\n").into_bytes(), "line 3: a second document"),
        (b"clouds:\n  c:\n\tauth: {}\n".to_vec(), "line 3: the line is indented with a tab"),
    ] {
        let error = say(&bytes).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let comment = say("\u{feff}# nothing yet\n".as_bytes());
    assert!(matches!(comment, Err(FindError::NothingFound { .. })), "{comment:?}");
}
