import Glibc

/// Each phone holds a connection for its event stream, and takes more for its requests.
enum OpenFiles {
    /// As many as the system lets this process have: a shell's own limit is often 1,024. Where that is not to be had, the run goes on, and
    /// what it misses is counted as failures.
    static func raiseLimit() {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(files, &limit)
    }
}
