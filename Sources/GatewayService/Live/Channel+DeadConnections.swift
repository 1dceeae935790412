import NIOCore

extension Channel {
    /// Of a listening channel: a connection whose peer confirms nothing for 30 s while something is on its way to it ends (RFC 5482;
    /// accepted connections inherit it).
    ///
    /// A phone that has lost its network without a word would otherwise count as listening, and not be woken otherwise, until its
    /// stream's last comment is given up by the kernel, a quarter of an hour later.
    func endDeadConnections() async {
        // The number is Linux's; elsewhere a dead connection ends when the kernel gives up.
        #if os(Linux)
        let userTimeout = NIOBSDSocket.Option(rawValue: 18)
        try? await setOption(ChannelOptions.Types.SocketOption(level: .tcp, name: userTimeout), value: 30_000).get()
        #endif
    }
}
