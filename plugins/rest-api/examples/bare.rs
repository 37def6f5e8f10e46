//! temp
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
#[tokio::main(worker_threads = 2)]
async fn main() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:9191").await.expect("port");
    loop {
        let (stream, _) = listener.accept().await.expect("accept");
        stream.set_nodelay(true).expect("nodelay");
        tokio::spawn(async move {
            let service = hyper::service::service_fn(|request: http::Request<hyper::body::Incoming>| async move {
                let body = request.into_body().collect().await.expect("body").to_bytes();
                let text = if body.is_empty() { "{}\n" } else { "{\"result\":true}\n" };
                let mut response = http::Response::new(Full::new(bytes::Bytes::from_static(text.as_bytes())));
                response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
                Ok::<_, std::convert::Infallible>(response)
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
