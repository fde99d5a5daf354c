//! Where secrets are sent, and what is said and asked before.

use super::*;

/// A clouds.yaml in the current directory, and the password elsewhere in the home.
fn torn(scene: &Scene) -> std::path::PathBuf {
    let home = scene.home.path();
    let secure = home.join(".config/openstack/secure.yaml");
    std::fs::create_dir_all(secure.parent().unwrap()).unwrap();
    std::fs::write(&secure, "clouds:\n  prod:\n    auth:\n      password: demo\n").unwrap();
    let clouds = format!(
        "clouds:\n  prod:\n    auth:\n      auth_url: {}\n      username: demo\n      user_domain_name: Default\n      \
         project_name: demo\n      project_domain_name: Default\n",
        scene.cloud.auth_url()
    );
    std::fs::write(home.join("clouds.yaml"), clouds).unwrap();
    secure
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_another_place_is_not_sent_where_a_file_of_the_current_directory_says() {
    let scene = Scene::new().await;
    let secure = torn(&scene);
    let list = || {
        let mut command = osvpn(scene.home.path());
        command.arg("list");
        command
    };
    let ran = run(list()).await;
    assert_eq!(ran.code, 2, "{}", ran.err);
    for part in ["is in the current directory", "secure.yaml", &scene.cloud.auth_url(), "OS_CLIENT_CONFIG_FILE"] {
        assert!(ran.err.contains(part), "{part:?} is missing from\n{}", ran.err);
    }
    assert!(scene.cloud.requests().is_empty(), "nothing was sent");
    let mut named = list();
    named.env("OS_CLIENT_CONFIG_FILE", "clouds.yaml");
    let ran = run(named).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    // Both in one place are as good.
    std::fs::rename(secure, scene.home.path().join("secure.yaml")).unwrap();
    let ran = run(list()).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_clear_text_is_warned_of_though_the_sign_in_fails() {
    let home = tempfile::tempdir().unwrap();
    let mut command = osvpn(home.path());
    command.args(["list", "--json"]).envs([
        ("OS_AUTH_URL", "http://keystone.invalid:5000/v3"),
        ("OS_USERNAME", "demo"),
        ("OS_PASSWORD", "demo"),
        ("OS_PROJECT_NAME", "demo"),
        ("OS_INSECURE", "true"),
    ]);
    let ran = run(command).await;
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let warnings = document["sign_in_warnings"].to_string();
    assert_eq!(ran.code, 1, "{}", ran.err);
    for part in ["not https", "Certificates are not checked"] {
        assert!(warnings.contains(part) && ran.err.contains(part), "{part:?}: {warnings}\n{}", ran.err);
    }
}
