/* A caller that reads nothing for a while, with ZeroMQ's own heartbeats each so many milliseconds (0: none), beside a callee that goes on sending.
   heartbeats <milliseconds> <end point> <rounds> */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

static void *answer(void *endpoint) {
    void *router = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
    char caller[256], body[4096];
    int length = 0;
    memset(body, 'x', sizeof body);
    if (zmq_bind(router, endpoint) != 0) exit(2);
    for (;;) {
        char frame[256];
        int got = zmq_recv(router, frame, sizeof frame, length == 0 ? 0 : ZMQ_DONTWAIT);
        if (got > 0) {
            memcpy(caller, frame, length = got);
            zmq_recv(router, frame, sizeof frame, 0);
        }
        if (zmq_send(router, caller, length, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) zmq_send(router, body, sizeof body, ZMQ_DONTWAIT);
        usleep(50);
    }
}

int main(int count, char **words) {
    if (count != 4) return 64;
    int beat = atoi(words[1]), timeout = 2 * beat, few = 4;
    pthread_t thread;
    pthread_create(&thread, NULL, answer, words[2]);
    void *dealer = zmq_socket(zmq_ctx_new(), ZMQ_DEALER);
    zmq_setsockopt(dealer, ZMQ_RCVHWM, &few, sizeof few);
    zmq_setsockopt(dealer, ZMQ_HEARTBEAT_IVL, &beat, sizeof beat);
    if (beat) zmq_setsockopt(dealer, ZMQ_HEARTBEAT_TIMEOUT, &timeout, sizeof timeout);
    zmq_connect(dealer, words[2]);
    for (int round = atoi(words[3]); round > 0; round--) {
        char body[4096];
        zmq_send(dealer, "more", 4, ZMQ_DONTWAIT);
        usleep(700000);
        for (int left = 50; left > 0 && zmq_recv(dealer, body, sizeof body, ZMQ_DONTWAIT) >= 0; left--) {}
    }
    puts("lived");
    fflush(stdout);
    _exit(0);
}
