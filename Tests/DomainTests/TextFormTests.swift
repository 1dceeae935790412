import Testing

@testable import Domain

@Suite struct TextFormTests {
    @Test("a request's id is 32 lower-case hexadecimal digits, which read back")
    func requestID() {
        for (id, text) in [
            (RequestID(high: 0, low: 0), "00000000000000000000000000000000"),
            (RequestID(high: 0x0123_4567_89AB_CDEF, low: .max), "0123456789abcdefffffffffffffffff"),
            (RequestID(high: 1 << 63, low: 1), "80000000000000000000000000000001"),
        ] {
            #expect(id.description == text && RequestID(text) == id)
        }
    }

    @Test("a time is RFC 3339 in UTC with milliseconds, of a year with more digits or of one before the first too")
    func timestamp() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_795_473_632_007, "2026-11-23T22:40:32.007Z"), (253_402_300_800_000, "10000-01-01T00:00:00.000Z"),
            (-62_135_596_800_001, "0000-12-31T23:59:59.999Z"),
        ] as [(Int64, String)] {
            #expect(Timestamp(milliseconds: milliseconds).description == text)
        }
    }
}
