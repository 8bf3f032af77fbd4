/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every limit of the product, in one place.  Sizes are bytes and exclude a
 * NUL unless the name ends in _SIZE; times say their unit.  The protocol's
 * own limits are from countersign-protocol(7), section LIMITS.
 */
#ifndef CSIGN_BOUNDS_H
#define CSIGN_BOUNDS_H

/* protocol */
#define CSIGN_SECRET_LEN 16 /* link secret S */
#define CSIGN_LINK_ID_LEN 16
#define CSIGN_LINK_ID_SIZE 23 /* b64u and NUL */
#define CSIGN_KEY_LEN 32
#define CSIGN_NONCE_LEN 32 /* of a transaction */
#define CSIGN_CHALLENGE_LEN 32
#define CSIGN_CHALLENGE_SIZE 44 /* b64u and NUL */
#define CSIGN_POINT_LEN 65      /* 04 || X || Y */
#define CSIGN_DEVICE_ID_LEN 10
#define CSIGN_DEVICE_ID_SIZE 17 /* b32 lower case and NUL */
#define CSIGN_CODE_LEN 6
#define CSIGN_QUESTION_LEN 12 /* of a nonce as text: names a question */
#define CSIGN_TRANSACTION_MAX 2048
#define CSIGN_CONTENT_MAX 8192 /* sealed */
#define CSIGN_ANSWER_MAX 8192  /* sealed */
#define CSIGN_SEAL_OVERHEAD 29 /* 01, nonce 12, tag 16 */
#define CSIGN_DEVICE_SEAL_LEN 98
/* a device id, without NUL, and S sealed to it */
#define CSIGN_COPY_LEN (CSIGN_DEVICE_ID_SIZE - 1 + CSIGN_DEVICE_SEAL_LEN)
#define CSIGN_REMOVAL_MAX 4096 /* a note, as bytes */
#define CSIGN_DETAILS_MAX 12
#define CSIGN_LABEL_MAX 32  /* characters */
#define CSIGN_VALUE_MAX 256 /* characters */
#define CSIGN_TITLE_MAX 256
#define CSIGN_SERVICE_MAX 64 /* characters */
#define CSIGN_CHOICES_MAX 8
#define CSIGN_CHOICE_MAX 32
#define CSIGN_AUTHDATA_MAX 512
#define CSIGN_REGISTRATION_MAX 1155 /* 132 + 1023 */
#define CSIGN_CLIENT_DATA_MAX 4096
#define CSIGN_SIGNATURE_MAX 72
#define CSIGN_SIGNATURE_MIN 8
#define CSIGN_CREDENTIAL_MAX 1023
#define CSIGN_DEVICE_NAME_MAX 64
#define CSIGN_LINK_MAX 300 /* and so a QR code's text, MEM-4 */
#define CSIGN_P256_SKEW_MS 60000

/* times */
#define CSIGN_LIFETIME_DEFAULT 90 /* seconds, of an approval */
#define CSIGN_LIFETIME_MIN 30
#define CSIGN_LIFETIME_MAX 300
#define CSIGN_ENROL_LIFETIME_DEFAULT 600
#define CSIGN_ENROL_LIFETIME_MIN 60
#define CSIGN_ENROL_LIFETIME_MAX 600
#define CSIGN_CREATE_TIMEOUT_MS 3000 /* until the service has the question */
#define CSIGN_CONNECT_TIMEOUT_MS 3000
#define CSIGN_TLS_TIMEOUT_MS 5000
#define CSIGN_LOCK_TIMEOUT_MS 2000
#define CSIGN_RINGS_TIMEOUT_MS 500    /* for the lock of phones that ring */
#define CSIGN_OUTCOME_TIMEOUT_MS 3000 /* the courier's last words */
#define CSIGN_POLL_WAIT_MAX 30        /* seconds, of one long poll */

/* counts */
#define CSIGN_ANSWERS_MAX 8 /* different answers looked at, an approval */
#define CSIGN_CODE_TRIES_MAX 3
#define CSIGN_REMOVALS_MAX 4    /* notes that come with a question */
#define CSIGN_DEVICES_DEFAULT 8 /* a user */
#define CSIGN_DEVICES_MAX 16

/* push: countersign-security(7) RL-3, RL-4 */
#define CSIGN_PUSH_SPACING 30      /* seconds between two */
#define CSIGN_PUSH_SHORT 600       /* seconds, in which there are at most */
#define CSIGN_PUSH_SHORT_MAX 3     /* so many */
#define CSIGN_PUSH_LONG 86400      /* seconds, in which there are at most */
#define CSIGN_PUSH_LONG_MAX 10     /* so many since the last success */
#define CSIGN_PUSH_PAUSE_MIN 900   /* seconds; then twice as long */
#define CSIGN_PUSH_PAUSE_MAX 86400 /* seconds */
#define CSIGN_PUSH_PAUSES_MAX 7    /* counted: the next is the longest */
#define CSIGN_PUSH_DENIALS 2       /* in a row, signed, until a pause */
#define CSIGN_PUSH_UNANSWERED 3    /* in a row, until a pause */
#define CSIGN_PUSH_WRONG_CODES 50  /* in a row, until push stops */
#define CSIGN_WRONG_CODES_MAX 100  /* in a row, until none is looked at */
#define CSIGN_INBOX_MAX 8          /* questions that a phone is told of */

/* files and texts */
#define CSIGN_FILE_MAX 65536
#define CSIGN_LINE_MAX 8192 /* of a devices file: a 1,023 byte credential */
#define CSIGN_CONF_LINE_MAX 1024
#define CSIGN_FILE_NAME_MAX 96 /* of a user's devices file */
#define CSIGN_USER_MAX 256
#define CSIGN_HOST_MAX 253
#define CSIGN_URL_MAX 256
#define CSIGN_WHY_SIZE 512
#define CSIGN_AUDIT_MAX 2048
#define CSIGN_ACCESS_KEY_LEN 43 /* b64u of 32 bytes */

/* the courier */
#define CSIGN_FRAME_MAX 20480
#define CSIGN_HTTP_HEADER_MAX 8192
#define CSIGN_HTTP_BODY_MAX 16384
#define CSIGN_HTTP_FILE_MAX 262144 /* of the phone's page */

#endif
