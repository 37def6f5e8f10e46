//! What every plugin promises of its life.

#[tokio::test]
async fn it_lives_as_plugins_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = format!("plugins: {{file_sink: {{path: '{}'}}}}", directory.path().join("decisions.log").display());
    regent_agent_kit::lifecycle(regent_file_sink::register, "file_sink", &config).await;
}
