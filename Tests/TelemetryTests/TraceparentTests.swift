import Testing

@testable import Telemetry

@Suite struct TraceparentTests {
    private static let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test(
        "a header reads and writes back", arguments: [valid, "00-00000000000000000000000000000001-0000000000000001-00"])
    func roundTrip(header: String) { #expect(Traceparent(header)?.description == header) }

    @Test("a later version is read as far as it is known")
    func laterVersion() {
        let parsed = Traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-what-comes")
        #expect(parsed?.description == Self.valid)
    }

    @Test(
        "what the standard says to ignore is ignored",
        arguments: [
            "", "00", valid + "-", valid + "-more", "ff" + valid.dropFirst(2), valid.uppercased(),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ])
    func ignored(header: String) { #expect(Traceparent(header) == nil) }
}
