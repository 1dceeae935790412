package import NIOCore
import NIOPosix

extension Channel {
    /// Of a listening channel whose connections are served from an asynchronous sequence: accepts nobody from now on, and returns when
    /// whoever was accepted has reached that sequence. To be called before the channel is closed. All channels are of the singleton group.
    ///
    /// SwiftNIO ends the process when a listening channel closes while a connection is between the two (apple/swift-nio issue 2813).
    package func stopAccepting() async {
        // Fails only when the channel is closed already.
        try? await setOption(.autoRead, value: false).get()
        for _ in 0..<Self.hops {
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try? await loop.submit {}.get() }
        }
    }

    /// From the port's loop to the connection's, back, and to the connection's again; and one for good measure.
    private static var hops: Int { 4 }
}
