import AsyncHTTPClient
import Authenticator
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

extension TransportError {
    /// What a failure below means to a phone: by its type and code, never by its text.
    init(_ error: any Error) {
        switch error {
        case let error as TransportError: self = error
        case let error as HTTPClientError: self = Self.meaning(of: error)
        case is NIOConnectionError, is SocketAddressError: self = .unreachable
        case let error as IOError
        where error.errnoCode == ECONNREFUSED || error.errnoCode == EHOSTUNREACH || error.errnoCode == ENETUNREACH:
            self = .unreachable
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: self = .untrusted
        case is NIOTooManyBytesError: self = .replyTooLarge
        default: self = .interrupted
        }
    }

    private static func meaning(of error: HTTPClientError) -> TransportError {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout, .invalidURL, .emptyHost, .emptyScheme: .unreachable
        case .readTimeout, .writeTimeout, .deadlineExceeded: .timedOut
        case .tlsHandshakeTimeout: .unreachable
        default: .interrupted
        }
    }
}
