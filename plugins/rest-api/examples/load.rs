//! temp
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[tokio::main(worker_threads = 2)]
async fn main() {
    let address = std::env::args().nth(1).expect("address");
    let body =
        r#"{"input":{"user":"alice","action":"read","object":{"id":"id-1","type":"account"},"roles":["a","b","c"]}}"#;
    let request = format!(
        "POST /v1/data/p/allow HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let count = Arc::new(AtomicU64::new(0));
    for _ in 0..16 {
        let (address, request, count) = (address.clone(), request.clone(), count.clone());
        tokio::spawn(async move {
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("connect");
            stream.set_nodelay(true).expect("nodelay");
            let mut buffer = [0; 4096];
            loop {
                stream.write_all(request.as_bytes()).await.expect("sent");
                let mut read = 0;
                while !buffer[..read].ends_with(b"}\n") {
                    read += stream.read(&mut buffer[read..]).await.expect("read");
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let before = count.load(Ordering::Relaxed);
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    println!("{address}: {} req/s", (count.load(Ordering::Relaxed) - before) / 4);
}
