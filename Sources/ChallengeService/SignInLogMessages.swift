import Domain
import Proofs
import Storage
import SwiftProtobuf
import Wire

extension SignInFilter {
    init(_ request: ListSignIns) throws(ServiceError) {
        self.init()
        username = request.username.nonEmpty.map(FoldedUsername.init(rawValue:))
        if let word = request.status.nonEmpty {
            guard let status = ChallengeStatus(rawValue: word) else {
                throw ServiceError(.invalidValue, "status is none of the known ones")
            }
            self.status = status
        }
        if let word = request.reason.nonEmpty {
            guard let reason = SignInReason(rawValue: word) else {
                throw ServiceError(.invalidValue, "reason is none of the known ones")
            }
            self.reason = reason
        }
        from = Timestamp(sent: request.fromMs)
        to = Timestamp(sent: request.toMs)
        if let cursor = request.page.cursor.nonEmpty {
            guard let position = Position(cursor: cursor) else {
                throw ServiceError(.malformed, "the cursor is not one that this list gave")
            }
            before = position
        }
    }
}

extension SignInFilter.Position {
    /// Opaque to the caller.
    var cursor: String { Base64URL.encode(Array("\(at.milliseconds) \(id.rawValue)".utf8)) }

    init?(cursor: String) {
        // No id of ours has U+0000, and a store may not take it.
        guard let bytes = Base64URL.decode(cursor), !bytes.contains(0) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard words.count == 2, let milliseconds = Int64(words[0]) else { return nil }
        self.init(at: Timestamp(milliseconds: milliseconds), id: ChallengeID(String(words[1])))
    }
}

extension SignInEntry {
    init(_ line: SignInRecord) {
        self = .with {
            $0.id = line.id.rawValue
            $0.atMs = line.at.milliseconds
            $0.username = line.username
            $0.personID = line.person?.rawValue ?? ""
            $0.factor = line.purpose.factor?.rawValue ?? ""
            $0.purpose = line.purpose.rawValue
            $0.application = line.application
            $0.status = line.status.rawValue
            $0.reason = line.reason?.rawValue ?? ""
            $0.method = line.method?.rawValue ?? ""
            $0.deviceID = line.device?.rawValue ?? ""
            $0.deviceName = line.deviceName
            $0.ipAddress = line.ipAddress
            $0.userAgent = line.userAgent
            $0.settledAtMs = line.settledAt?.milliseconds ?? 0
            $0.clientID = line.client?.rawValue ?? ""
            $0.requestID = line.requestID
            $0.decoy = line.isDecoy
            $0.silenced = line.isSilenced
        }
    }
}
