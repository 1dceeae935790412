import Domain
import Proofs
import Testing

@Suite("URIs in QR codes")
struct URITests {
    @Test("an offline code's URI is what authenticator apps read: %20 for a space, SHA1, 6, 30")
    func write() throws {
        let secret = try #require(Base32.decode("HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ"))
        let code = try #require(TimeBasedPassword(secret: secret))
        let uri = try #require(OTPAuthURI(issuer: "ACME Co", account: "john@example.com", offlineCode: code))
        #expect(
            uri.text
                == "otpauth://totp/ACME%20Co:john@example.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME%20Co&algorithm=SHA1&digits=6&period=30"
        )
        #expect(try OTPAuthURI(uri.text) == uri)
        #expect(uri.offlineCode == code)
    }

    @Test("names in every script survive")
    func names() throws {
        let code = try #require(TimeBasedPassword(secret: Array(0..<20), algorithm: .sha512, digits: 8, period: 60))
        let uri = try #require(OTPAuthURI(issuer: "Über & Söhne/100%?", account: "用户+tag@例え.jp", offlineCode: code))
        #expect(try OTPAuthURI(uri.text) == uri)
    }

    @Test("a counter-based URI keeps its counter")
    func hotp() throws {
        let uri = try OTPAuthURI("otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=7")
        #expect(uri.factor == .counter(7))
        #expect(uri.offlineCode == nil)
        #expect(try OTPAuthURI(uri.text) == uri)
    }

    @Test("defaults, an encoded colon, a space after it and unknown members are read")
    func lenient() throws {
        let uri = try OTPAuthURI("otpauth://totp/ACME%3A%20bob?secret=gezdgnbvgy3tqojqgezdgnbvgy3tqojq&image=x")
        #expect(uri.issuer == "ACME")
        #expect(uri.account == "bob")
        #expect(uri.factor == .time(period: 30))
        #expect(uri.password.digits == 6)
    }

    @Test(
        "an otpauth URI that is not one is refused",
        arguments: [
            "", "otpauth://totp/a", "otpauth://totp/a?secret=", "otpauth://totp/a?secret=1",
            "otpauth://steam/a?secret=MFRGGZDF",
            "https://totp/a?secret=MFRGGZDF", "otpauth://totp/A:b?secret=MFRGGZDF&issuer=B",
            "otpauth://totp/a?secret=MFRGGZDF&digits=5",
            "otpauth://totp/a?secret=MFRGGZDF&period=0", "otpauth://totp/a?secret=MFRGGZDF&algorithm=MD5",
            "otpauth://totp/a?secret=MFRGGZDF&secret=MFRGGZDF", "otpauth://hotp/a?secret=MFRGGZDF",
            "otpauth://totp/a%ZZ?secret=MFRGGZDF",
            "otpauth://totp/a:b:c?secret=MFRGGZDF",
        ])
    func refused(_ text: String) { #expect(throws: ProofError.malformed) { try OTPAuthURI(text) } }

    @Test("a label with a colon in a name is not made")
    func colon() throws {
        let code = try #require(TimeBasedPassword(secret: [1]))
        #expect(OTPAuthURI(issuer: "a:b", account: "c", offlineCode: code) == nil)
        #expect(OTPAuthURI(issuer: "a", account: "b:c", offlineCode: code) == nil)
    }

    @Test("an activation URI is written with every member encoded, and read again")
    func activation() throws {
        let uri = ActivationURI(
            server: "http://127.0.0.1:8080", tenant: TenantID("demo"), ticket: Base64URL.encode(Array(0..<32)),
            issuer: "Demo & Co",
            account: "alice@example.com")
        #expect(
            uri.text
                == "countersign://activate?server=http%3A%2F%2F127.0.0.1%3A8080&tenant=demo&ticket=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8&issuer=Demo%20%26%20Co&account=alice%40example.com"
        )
        #expect(try ActivationURI(uri.text) == uri)
    }

    @Test(
        "an activation URI that is not one is refused",
        arguments: [
            "countersign://activate?",
            "countersign://sign?server=https%3A%2F%2Fa&tenant=demo&ticket=AAAAAAAAAAAAAAAAAAAAAA&issuer=a&account=b",
            "countersign://activate?server=file%3A%2F%2Fa&tenant=demo&ticket=AAAAAAAAAAAAAAAAAAAAAA&issuer=a&account=b",
            "countersign://activate?server=https%3A%2F%2Fa&tenant=De%20mo&ticket=AAAAAAAAAAAAAAAAAAAAAA&issuer=a&account=b",
            "countersign://activate?server=https%3A%2F%2Fa&tenant=demo&ticket=AA%3D%3D&issuer=a&account=b",
            "countersign://activate?server=https%3A%2F%2Fa&tenant=demo&ticket=AAAAAAAAAAAAAAAAAAAAAA&issuer=a",
            "countersign://activate?server=https%3A%2F%2Fa&server=https%3A%2F%2Fb&tenant=demo&ticket=AAAAAAAAAAAAAAAAAAAAAA&issuer=a&account=b",
        ])
    func activationRefused(_ text: String) { #expect(throws: ProofError.malformed) { try ActivationURI(text) } }
}
