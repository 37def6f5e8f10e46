//! What every plugin promises of its life.

#[tokio::test]
async fn it_lives_as_plugins_do() {
    let config = "distributed_tracing: {type: http, address: '127.0.0.1:1'}";
    regent_agent_kit::lifecycle(regent_distributed_tracing::register, "distributed_tracing", config).await;
}
