import Authenticator
import DeviceAPI
import Domain
import Foundation
import Proofs

/// The device API in memory: it believes nothing that the contract's proofs do not show.
actor FakeServer: Transport {
    static let base = "http://127.0.0.1:8080"
    static let number = "42"
    /// 20 bytes, as RFC 6238's.
    static let offlineSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    struct Open {
        var device: DeviceID
        var content: [UInt8]
        var purpose: Purpose
        var firstAnswer: String?
        var reply: AnswerReply?
    }

    struct Device {
        var key: PublicKeyJWK
        var tenant: String
    }

    nonisolated let ticket = "dGhpcy1pcy1hLXRpY2tldC1vZi0yNC1ieXRlcw"
    /// The server's clock, in seconds since 1970.
    var seconds: Int64 = 1_800_000_000
    private(set) var devices: [DeviceID: Device] = [:]
    private(set) var challenges: [String: Open] = [:]
    private(set) var usedIdentifiers: Set<[UInt8]> = []
    private(set) var sent: [TransportRequest] = []
    /// The next requests whose reply is lost after the server acted, or that are refused as unavailable.
    var lostReplies = 0
    var unavailable = 0
    var phoneSignIn: Set<DeviceID> = []
    /// What is told of a set-up beforehand.
    private var setUp: (refusal: String?, needsCredential: Bool?)
    private var streams: [AsyncThrowingStream<Data, any Error>] = []
    private(set) var streamProofs = 0

    nonisolated func link(tenant: String = "demo") throws -> ActivationLink {
        try ActivationLink(
            "countersign://activate?server=http%3A%2F%2F127.0.0.1%3A8080&tenant=\(tenant)&ticket=\(ticket)&issuer=Demo&account=alice"
        )
    }

    func loseReplies(_ count: Int) { lostReplies = count }
    func beUnavailable(_ count: Int) { unavailable = count }
    func forget(_ device: DeviceID) { devices[device] = nil }
    func tellOfSetUp(refusal: String?, needsCredential: Bool?) { setUp = (refusal, needsCredential) }
    func offer(_ streams: [AsyncThrowingStream<Data, any Error>]) { self.streams = streams }

    /// Opens a request for a device; with `content` a broken server says something else than the truth.
    @discardableResult
    func ask(
        _ device: DeviceID, id: String, purpose: Purpose = .signIn, tenant: String = "demo", contentID: String? = nil
    ) throws -> PendingRequest {
        let content = """
            {"id":"\(contentID ?? id)","tenant":"\(tenant)","user":"alice","application":"Pay\\u202Eroll","location":null,"ipAddress":"203.0.113.7",\
            "userAgent":"Firefox\\u001b[2J","issuedAt":"2027-01-15T08:00:00.000Z","expiresAt":"2027-01-15T08:01:00.000Z","numberDigits":2}
            """
        challenges[id] = Open(device: device, content: Array(content.utf8), purpose: purpose)
        return pending(id)
    }

    func pending(_ id: String) -> PendingRequest {
        let open = challenges[id]
        return PendingRequest(
            id: id, purpose: open?.purpose ?? .signIn, content: Base64URL.encode(open?.content ?? []),
            expiresAt: Timestamp(seconds: seconds + 60))
    }

    // MARK: Transport

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        sent.append(request)
        if unavailable > 0 {
            unavailable -= 1
            return problem(503, "unavailable")
        }
        let reply: TransportResponse
        do { reply = try answer(request) } catch { reply = problem(500, "internal") }
        if lostReplies > 0 {
            lostReplies -= 1
            throw .interrupted
        }
        return reply
    }

    func open(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
        let refused = refusal(of: request)
        if let refused {
            let body = AsyncThrowingStream<Data, any Error> {
                $0.yield(refused.body)
                $0.finish()
            }
            return TransportStream(head: refused.head, body: body)
        }
        streamProofs += 1
        guard !streams.isEmpty else { throw .unreachable }
        return TransportStream(head: TransportHead(status: 200, headers: []), body: streams.removeFirst())
    }

    private func answer(_ request: TransportRequest) throws -> TransportResponse {
        let path = String(request.url.dropFirst(Self.base.count))
        let parts = path.split(separator: "/").map(String.init)
        if request.method == "POST", parts.count == 3, parts[2] == "devices" {
            return try activate(request, tenant: parts[1])
        }
        if parts.count == 5, parts[2] == "challenges" { return try settle(request, id: parts[3], tenant: parts[1]) }
        if let refused = refusal(of: request) { return refused }
        let device = DeviceID(parts[3])
        switch (request.method, parts.last) {
        case ("GET", "challenges"):
            let own = challenges.filter { $0.value.device == device && $0.value.reply == nil }.keys.sorted()
            return reply(200, PendingRequests(challenges: own.map(pending)))
        case ("POST", "phone-sign-in"):
            let body = try JSONDecoder().decode(PhoneSignInRequest.self, from: request.body ?? Data())
            guard body.password == "right" else { return problem(403, "refused") }
            try ask(device, id: "setup", purpose: .phoneSignInSetup)
            return reply(202, PhoneSignInStarted(challengeId: "setup", number: Self.number))
        case ("GET", "phone-sign-in"):
            let enabled = phoneSignIn.contains(device)
            return reply(
                200,
                PhoneSignInState(enabled: enabled, refusal: setUp.refusal, needsCredential: setUp.needsCredential))
        case ("DELETE", "phone-sign-in"):
            phoneSignIn.remove(device)
            return TransportResponse(head: TransportHead(status: 204, headers: []), body: Data())
        case ("DELETE", _):
            devices[device] = nil
            return TransportResponse(head: TransportHead(status: 204, headers: []), body: Data())
        case ("PATCH", _):
            return TransportResponse(head: TransportHead(status: 200, headers: []), body: Data("{}".utf8))
        default: return problem(404, "not_found")
        }
    }

    /// Nil when the request's device proof is genuine: key, method, URL, body, time, and never used before.
    private func refusal(of request: TransportRequest) -> TransportResponse? {
        guard let header = request.headers.first(where: { $0.name == "Authorization" })?.value,
            header.hasPrefix("DeviceProof "),
            let proof = try? DeviceProof(String(header.dropFirst("DeviceProof ".count))),
            request.url.contains("/devices/\(proof.device)"), let device = devices[proof.device]
        else { return problem(401, "not_authenticated") }
        let asked = ProvenRequest(
            method: request.method, url: String(request.url.prefix { $0 != "?" }),
            bodyDigest: request.body.map { contentDigest(Array($0)) })
        do {
            let claims = try proof.verify(
                key: device.key, request: asked, now: Timestamp(seconds: seconds), skew: .seconds(60))
            return usedIdentifiers.insert(claims.identifier).inserted ? nil : problem(401, "invalid_proof")
        } catch ProofError.expired {
            return problem(401, "clock_skew")
        } catch {
            return problem(401, "invalid_proof")
        }
    }

    private func activate(_ request: TransportRequest, tenant: String) throws -> TransportResponse {
        let body = try JSONDecoder().decode(ActivationRequest.self, from: request.body ?? Data())
        let key: PublicKeyJWK
        do {
            key = try ActivationClaims.verify(
                body.proof, audience: "\(Self.base)/\(tenant)", ticket: body.ticket, now: Timestamp(seconds: seconds),
                skew: .seconds(60))
        } catch ProofError.expired {
            return problem(401, "clock_skew")
        } catch {
            return problem(403, "refused")
        }
        let device = DeviceID("device-\(tenant)-\(key.thumbprint.prefix(6))")
        devices[device] = Device(key: key, tenant: tenant)
        try ask(device, id: "registration-\(tenant)", purpose: .registration, tenant: tenant)
        return reply(
            201,
            ActivationReply(
                deviceId: device.rawValue, state: .awaitingConfirmation,
                user: ActivatedUser(username: "alice", displayName: "Alice"),
                tenant: TenantName(id: tenant, name: "Demo"),
                offlineCode: OfflineCodeSecret(
                    secret: Self.offlineSecret, algorithm: .sha1, digits: 6, period: 30, uri: "otpauth://totp/x")))
    }

    private func settle(_ request: TransportRequest, id: String, tenant: String) throws -> TransportResponse {
        let text = try JSONDecoder().decode(AnswerRequest.self, from: request.body ?? Data()).answer
        guard var open = challenges[id], let answer = try? DeviceAnswer(text), answer.device == open.device,
            let device = devices[answer.device],
            let claims = try? answer.verify(
                key: device.key, audience: "\(Self.base)/\(tenant)", challenge: ChallengeID(id)),
            claims.contentDigest == contentDigest(open.content)
        else { return problem(403, "refused") }
        if let first = open.firstAnswer, let earlier = open.reply {
            return first == text ? reply(200, earlier) : problem(409, "settled")
        }
        let decided: AnswerReply =
            switch claims.decision {
            case .decline: AnswerReply(status: .denied, reason: .declined)
            case .report: AnswerReply(status: .denied, reason: .reported)
            case .approve:
                claims.number == Self.number
                    ? AnswerReply(status: .approved) : AnswerReply(status: .denied, reason: .wrongNumber)
            }
        if open.purpose == .phoneSignInSetup, decided.status == .approved { phoneSignIn.insert(open.device) }
        open.firstAnswer = text
        open.reply = decided
        challenges[id] = open
        return reply(200, decided)
    }

    private func reply(_ status: Int, _ body: some Encodable) -> TransportResponse {
        TransportResponse(
            head: TransportHead(status: status, headers: []), body: (try? JSONEncoder().encode(body)) ?? Data())
    }

    private func problem(_ status: Int, _ code: String) -> TransportResponse {
        let date = Date(timeIntervalSince1970: TimeInterval(seconds))
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let body = ProblemDocument(code: code, title: code, status: status, requestId: "r")
        return TransportResponse(
            head: TransportHead(
                status: status,
                headers: [(name: "date", value: formatter.string(from: date)), (name: "retry-after", value: "1")]),
            body: (try? JSONEncoder().encode(body)) ?? Data())
    }
}
