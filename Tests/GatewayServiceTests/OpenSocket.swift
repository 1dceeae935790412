#if os(Linux)
import Glibc

/// A TCP socket of this process over IPv4, as the kernel sees it.
struct OpenSocket {
    let localPort: UInt16
    let isConnected: Bool
    /// TCP_USER_TIMEOUT (RFC 5482); 0 for the kernel's own.
    let userTimeoutMilliseconds: UInt32

    /// TCP_USER_TIMEOUT of linux/tcp.h.
    private static let userTimeout: Int32 = 18

    /// Nil for a descriptor that is none.
    init?(_ descriptor: Int32) {
        guard let local = Self.address(getsockname, descriptor), local.sin_family == sa_family_t(AF_INET) else {
            return nil
        }
        var milliseconds: UInt32 = 0
        var size = socklen_t(MemoryLayout<UInt32>.size)
        guard getsockopt(descriptor, Int32(IPPROTO_TCP), Self.userTimeout, &milliseconds, &size) == 0 else {
            return nil
        }
        localPort = UInt16(bigEndian: local.sin_port)
        isConnected = Self.address(getpeername, descriptor) != nil
        userTimeoutMilliseconds = milliseconds
    }

    private typealias Ask = (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32

    private static func address(_ ask: Ask, _ descriptor: Int32) -> sockaddr_in? {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(descriptor, $0, &size) }
        }
        return status == 0 ? address : nil
    }
}
#endif
