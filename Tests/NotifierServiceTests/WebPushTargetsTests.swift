import Domain
import ServiceKit
import Testing

@testable import NotifierService

@Suite("Where Web Push may go")
struct WebPushTargetsTests {
    @Test("the endpoint's host must be one of the list, exactly or by the end of its name")
    func hosts() {
        let targets = WebPushTargets(hosts: ["push.example.org", "*.Notify.example.com"])
        #expect(targets.origin(of: "https://push.example.org/a")?.text == "https://push.example.org")
        #expect(targets.origin(of: "https://PUSH.example.org:8443/a?b")?.text == "https://push.example.org:8443")
        #expect(targets.origin(of: "https://db5.notify.example.com/a") != nil)
        for endpoint in [
            "https://push.example.org.evil.example/", "https://evil.example/push.example.org",
            "https://notify.example.com/", "https://evilnotify.example.com/", "http://push.example.org/",
            "https://push.example.org@evil.example/", "https://evil.example#push.example.org", "https:///a", "",
            "https://a:b@push.example.org/", "https://push.example.org\\@evil.example/", "https://push.example.org/\n",
            "https://push.example.org/#a", "https://@push.example.org/",
        ] {
            #expect(targets.origin(of: endpoint) == nil, "\(endpoint)")
        }
    }

    @Test(
        "a host that holds more than a name once it is decoded is none, although its end is on the list",
        arguments: [
            "8.8.8.8%00%40evil.example%2F", "evil.example%2F", "8.8.8.8%40", "evil.example%3A443%2F", "evil.example%3F",
            "evil.example%23", "evil.example%5C", "a%20b", "a%0D%0Ab", "a_b", "%5B%3A%3A1%5D", "a%25b", "%E2%84%80",
        ])
    func decoded(start: String) {
        #expect(WebPushTargets().origin(of: "https://\(start).notify.windows.com/x") == nil)
    }

    @Test("an address is a host as it is written alone, and a name without a dot at its end")
    func addresses() {
        let targets = WebPushTargets(hosts: ["8.8.8.8", "[2606:4700::1111]", "push.example.org"])
        #expect(targets.origin(of: "https://8.8.8.8/x")?.text == "https://8.8.8.8")
        #expect(targets.origin(of: "https://[2606:4700::1111]:8443/x")?.text == "https://[2606:4700::1111]:8443")
        for host in [
            "0x8.8.8.8", "134744072", "8.8.2056", "010.8.8.8", "[2606:4700::1111%25eth0]", "[::ffff:8.8.8.8]",
            "[8.8.8.8]", "[2606:4700::1111]evil.example", "push.example.org.", "push.example.org:0",
            "push.example.org:65536", "push.example.org:-1",
        ] {
            #expect(targets.origin(of: "https://\(host)/x") == nil, "\(host)")
        }
    }

    @Test("an address with a NUL behind it is none")
    func withNUL() {
        #expect(WebPushTargets().addresses(among: ["8.8.8.8\0@evil.example"]).first == nil)
        #expect(AddressBlock("8.8.8.8\0") == nil)
    }

    @Test("what is sent to is written with the host that was checked")
    func resource() throws {
        let endpoint = "https://%50USH.example.org:443/a%2Fb/c?d=e"
        let origin = try #require(WebPushTargets(hosts: ["push.example.org"]).origin(of: endpoint))
        #expect(origin.resource(endpoint) == "https://push.example.org/a%2Fb/c?d=e")
    }

    @Test(
        "addresses of this machine, of its network and of special use are not the internet's",
        arguments: [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
            "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
            "224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
            "64:ff9b::7f00:1", "fc00::1", "fd12::1", "fe80::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::",
            "3fff::1", "no address",
        ])
    func notPublic(address: String) {
        #expect(WebPushTargets().addresses(among: [address]).first == nil)
    }

    @Test(
        "the internet's addresses are",
        arguments: [
            "1.1.1.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:4700::1111",
            "2a00:1450:4001::5f", "::ffff:8.8.8.8",
        ])
    func isPublic(address: String) {
        #expect(WebPushTargets().addresses(among: ["10.0.0.1", address]).first == address)
    }

    @Test("a block that the operator allows may be reached, and no more than it")
    func allowed() {
        let targets = WebPushTargets(
            hosts: [], allowedBlocks: ["10.1.0.0/16", "fd00::/8"].compactMap { AddressBlock($0) })
        #expect(targets.addresses(among: ["10.2.0.1", "10.1.255.1"]).first == "10.1.255.1")
        #expect(targets.addresses(among: ["fd77::1"]).first == "fd77::1")
        #expect(targets.addresses(among: ["10.1.0.2", "10.2.0.1", "fd00::1"]) == ["10.1.0.2", "fd00::1"])
        #expect(targets.addresses(among: ["127.0.0.1", "fc00::1"]).first == nil)
        for text in ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "/8", "", "10.0.0.0/8/8"] {
            #expect(AddressBlock(text) == nil)
        }
    }
}
