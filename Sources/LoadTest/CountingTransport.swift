import Authenticator

/// A phone's transport whose requests are counted.
struct CountingTransport: Transport {
    let transport: any Transport
    let meter: RequestMeter

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        meter.count()
        return try await transport.send(request)
    }

    func open(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
        meter.count()
        return try await transport.open(request)
    }
}
