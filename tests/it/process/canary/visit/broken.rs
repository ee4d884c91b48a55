//! What is hardly a request.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};

use super::Visit;

impl Visit<'_> {
    /// What is no request, and requests that end in their middle.
    pub(super) fn breaks_off(&self) {
        for bytes in [
            "CANARY canary HTTP/9.9\r\n\r\n",
            "canary\r\n\r\n",
            "GET /canary HTTP/1.1\r\ncanary canary\r\n\r\n",
            "POST /status/query HTTP/1.1\r\nHost: canary\r\nContent-Length: 99\r\n\r\n{\"canary\":",
            "POST /status/query HTTP/1.1\r\nHost: canary\r\nTransfer-Encoding: chunked\r\n\r\ncanary\r\n",
        ] {
            let mut stream = TcpStream::connect(self.address).unwrap();
            stream.write_all(bytes.as_bytes()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            // To its end, so that it has been dealt with.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    }
}
