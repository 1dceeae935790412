import Crypto
import Foundation
import NIOSSL

/// A certificate for `localhost` and 127.0.0.1, signed by its own key, made anew at each start (RFC 5280 section 4.1).
package struct DoubleCertificate: Sendable {
    package let pem: String
    private let key: P256.Signing.PrivateKey

    package init() throws {
        key = P256.Signing.PrivateKey()
        let der = try Self.certificate(key)
        let base64 = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        pem = "-----BEGIN CERTIFICATE-----\n\(base64)\n-----END CERTIFICATE-----\n"
    }

    func serverConfiguration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.pemRepresentation.utf8), format: .pem)))
        configuration.applicationProtocols = ["h2"]
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    private static func certificate(_ key: P256.Signing.PrivateKey) throws -> [UInt8] {
        let ecdsaWithSHA256 = DER.sequence(DER.objectIdentifier([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]))
        let commonName = DER.sequence(
            DER.set(DER.sequence(DER.objectIdentifier([0x55, 0x04, 0x03]) + DER.value(0x0C, Array("localhost".utf8)))))
        let validity = DER.sequence(
            DER.value(0x17, Array("200101000000Z".utf8)) + DER.value(0x17, Array("491231235959Z".utf8)))
        let names = DER.sequence(DER.value(0x82, Array("localhost".utf8)) + DER.value(0x87, [127, 0, 0, 1]))
        let isAuthority = DER.sequence(DER.value(0x01, [0xFF]))
        let extensions = DER.sequence(
            DER.sequence(DER.objectIdentifier([0x55, 0x1D, 0x11]) + DER.value(0x04, names))
                + DER.sequence(
                    DER.objectIdentifier([0x55, 0x1D, 0x13]) + DER.value(0x01, [0xFF]) + DER.value(0x04, isAuthority)))
        let toSign = DER.sequence(
            DER.value(0xA0, DER.value(0x02, [2])) + DER.value(0x02, [1]) + ecdsaWithSHA256 + commonName + validity
                + commonName + Array(key.publicKey.derRepresentation) + DER.value(0xA3, extensions))
        let signature = Array(try key.signature(for: toSign).derRepresentation)
        return DER.sequence(toSign + ecdsaWithSHA256 + DER.value(0x03, [0] + signature))
    }
}

/// The little of the distinguished encoding rules (ITU-T X.690) that a certificate is written with.
private enum DER {
    static func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        let length: [UInt8] =
            count < 0x80
            ? [UInt8(count)] : count < 0x100 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
        return [tag] + length + content
    }

    static func sequence(_ content: [UInt8]) -> [UInt8] { value(0x30, content) }
    static func set(_ content: [UInt8]) -> [UInt8] { value(0x31, content) }
    static func objectIdentifier(_ content: [UInt8]) -> [UInt8] { value(0x06, content) }
}
