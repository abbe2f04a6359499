CREATE TABLE state (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      engine_id TEXT NOT NULL,
      pinned_peer TEXT,
      highest_epoch INTEGER NOT NULL,
      accepted_epoch INTEGER NOT NULL,
      hlc TEXT NOT NULL,
      clock TEXT NOT NULL,
      last_executed_seq INTEGER NOT NULL,
      lock_fence INTEGER NOT NULL,
      maintenance TEXT
    ) STRICT;
INSERT INTO state VALUES (1, 'eng_Ovn9F1iSgzhEkqWWuxljT', NULL, 1, 1, '01a227b46b9d0001-eng_Ovn9F1iSgzhEkqWWuxljT', '{"eng_Ovn9F1iSgzhEkqWWuxljT":3}', 3, 0, NULL);
CREATE TABLE checkpoint (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      epoch INTEGER NOT NULL,
      seq INTEGER NOT NULL, draft INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO checkpoint VALUES (1, 1, 3, 1);
CREATE TABLE log_runs (
      from_seq INTEGER PRIMARY KEY,
      to_seq INTEGER NOT NULL,
      epoch INTEGER NOT NULL
    ) STRICT;
INSERT INTO log_runs VALUES (1, 3, 1);
CREATE TABLE keys (
      key TEXT PRIMARY KEY,
      seq INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      execute_at_us INTEGER NOT NULL,
      at_unix_ms INTEGER NOT NULL
    ) STRICT;
INSERT INTO keys VALUES ('key-1', 1, 1, 1795962464232946, 1795962464193);
CREATE TABLE conflicts (
      place INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      open INTEGER NOT NULL,
      conflict TEXT NOT NULL
    ) STRICT;
INSERT INTO conflicts VALUES (1, 'cfl_48d26af4e426b3e63e0c8e079a720318', 1, '{"id":"cfl_48d26af4e426b3e63e0c8e079a720318","kind":"record","entity":"macros","field":"title","divergent":{"origin":"rec_Ovn9F1iSgzhEkqWWuxljT","originSeq":4,"hlc":"01a227b46aee0000-eng_Ovn9F1iSgzhEkqWWuxljT","epoch":1,"kind":"set","entity":"macros","field":"title","payload":"Grüße","clock":{"rec_Ovn9F1iSgzhEkqWWuxljT":4},"checksum":"48d26af4e426b3e63e0c8e079a7203185281f1a5d1e5951455583c82b66698b6"},"standing":[{"origin":"rec_GTBfPmmuC7WhBpyVyqwj4","originSeq":2,"hlc":"01a227b46b7a0000-eng_GTBfPmmuC7WhBpyVyqwj4","epoch":0,"kind":"set","entity":"macros","field":"title","payload":"by the spoke","clock":{"rec_GTBfPmmuC7WhBpyVyqwj4":2},"checksum":"569e76047cbd11ea9b95ab8942891d8b23331307d5862edc6f89963490c7c8ec"}],"outcome":"open","reason":"two changes were made apart; the later one stands until a person decides","detectedAtUnixMs":1795962465171.1267,"resolution":null}');
CREATE TABLE leadership (
      epoch INTEGER PRIMARY KEY,
      leader TEXT NOT NULL,
      from_unix_ms REAL NOT NULL,
      to_unix_ms REAL,
      cause TEXT NOT NULL,
      by TEXT NOT NULL,
      reason TEXT NOT NULL,
      took_ms REAL NOT NULL
    ) STRICT;
INSERT INTO leadership VALUES (1, 'a', 1795962463887.1907, 1795962465240.2805, 'cold-start', 'automation', 'first start', 2.448558000000048);
CREATE TABLE requests (
      place INTEGER PRIMARY KEY,
      request_id TEXT NOT NULL UNIQUE,
      request TEXT NOT NULL
    ) STRICT;
INSERT INTO requests VALUES (1, 'req__cfhrN81RmqWd1usC4fXD', '{"requestId":"req__cfhrN81RmqWd1usC4fXD","reason":"this engine stops","by":"automation","mode":"handover","answer":{"outcome":"no-valid-backup","detail":"the peer is not heard, not healthy, or not caught up"},"at":"1795962465222"}');
CREATE TABLE state_pieces (
      draft INTEGER NOT NULL,
      place INTEGER NOT NULL,
      text TEXT NOT NULL,
      PRIMARY KEY (draft, place)
    ) STRICT;
INSERT INTO state_pieces VALUES (1, 0, '{"programSource":"cam4","previewSource":"cam3","transitionType":"mix","transitionDurationMs":1000,"transitionEasing":"smoothstep","transitionPosition":0,"inTransition":false,"transition":null,"ftbActive":false,"ftbFade":null,"audioChannels":{"cam1":{"level":0,"trim":0,"muted":false,"afv":true,"eq":[{"frequency":100,"gain":0,"q":1,"enabled":false},{"frequency":1000,"gain":0,"q":1,"enabled":false},{"frequency":8000,"gain":0,"q":1,"enabled":false}],"compressor":{"threshold":-20,"ratio":4,"attack":10,"release":100,"makeupGain":0},"audioDelayMs":0},"cam2":{"level":0,"trim":0,"muted":false,"afv":true,"eq":[{"frequency":100,"gain":0,"q":1,"enabled":false},{"frequency":1000,"gain":0,"q":1,"enabled":false},{"frequency":8000,"gain":0,"q":1,"enabled":false}],"compressor":{"threshold":-20,"ratio":4,"attack":10,"release":100,"makeupGain":0},"audioDelayMs":0},"cam3":{"level":0,"trim":0,"muted":false,"afv":true,"eq":[{"frequency":100,"gain":0,"q":1,"enabled":false},{"frequency":1000,"gain":0,"q":1,"enabled":false},{"frequency":8000,"gain":0,"q":1,"enabled":false}],"compressor":{"threshold":-20,"ratio":4,"attack":10,"release":100,"makeupGain":0},"audioDelayMs":0},"srt:encoder1":{"level":0,"trim":0,"muted":false,"afv":true,"eq":[{"frequency":100,"gain":0,"q":1,"enabled":false},{"frequency":1000,"gain":0,"q":1,"enabled":false},{"frequency":8000,"gain":0,"q":1,"enabled":false}],"compressor":{"threshold":-20,"ratio":4,"attack":10,"release":100,"makeupGain":0},"audioDelayMs":0}},"masterLevel":0,"tallyState":{"cam1":"idle","cam2":"idle","cam3":"preview","srt:encoder1":"idle","cam4":"program"},"sources":{"cam1":{"key":"cam1","label":"Camera 1","type":"demo","status":"healthy","position":1},"cam2":{"key":"cam2","label":"Camera 2","type":"demo","status":"healthy","position":2},"cam3":{"key":"cam3","label":"Camera 3","type":"demo","status":"healthy","position":3},"srt:encoder1":{"key":"srt:encoder1","label":"Remote Encoder","type":"srt","status":"healthy","position":4}},"presets":[],"graphics":{"layers":[{"id":0,"active":false,"template":"lower-third","fadePosition":0,"zOrder":0,"x":0,"y":0,"width":1920,"height":1080,"fade":null,"motion":null,"pulse":null}]},"layout":{"activePreset":"","slots":[],"presets":{}},"macros":{},"macro":null,"lastMacro":null,"calls":{},"lastChangedBy":"eng_Ovn9F1iSgzhEkqWWuxljT","epoch":1,"seq":3,"atUs":1795962464392401,"lastError":null}');
CREATE TABLE record_heads (
      entity TEXT NOT NULL,
      field TEXT NOT NULL,
      rank INTEGER NOT NULL,
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      PRIMARY KEY (entity, field, rank)
    ) STRICT, WITHOUT ROWID;
INSERT INTO record_heads VALUES ('layouts', 'narrow', 0, 'rec_Ovn9F1iSgzhEkqWWuxljT', 6);
INSERT INTO record_heads VALUES ('layouts', 'wide', 0, 'rec_GTBfPmmuC7WhBpyVyqwj4', 1);
INSERT INTO record_heads VALUES ('macros', 'closing', 0, 'rec_Ovn9F1iSgzhEkqWWuxljT', 2);
INSERT INTO record_heads VALUES ('macros', 'gone', 0, 'rec_Ovn9F1iSgzhEkqWWuxljT', 5);
INSERT INTO record_heads VALUES ('macros', 'opening', 0, 'rec_Ovn9F1iSgzhEkqWWuxljT', 1);
INSERT INTO record_heads VALUES ('macros', 'title', 0, 'rec_GTBfPmmuC7WhBpyVyqwj4', 2);
INSERT INTO record_heads VALUES ('macros', 'title', 1, 'rec_Ovn9F1iSgzhEkqWWuxljT', 4);
CREATE TABLE record_vector (
      origin TEXT PRIMARY KEY,
      origin_seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
INSERT INTO record_vector VALUES ('rec_GTBfPmmuC7WhBpyVyqwj4', 2);
INSERT INTO record_vector VALUES ('rec_Ovn9F1iSgzhEkqWWuxljT', 6);
CREATE TABLE compaction_floor (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      through TEXT NOT NULL,
      clock TEXT NOT NULL
    ) STRICT;
CREATE TABLE set_aside (
      place INTEGER PRIMARY KEY,
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      via TEXT NOT NULL,
      reason TEXT NOT NULL,
      content TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      dead INTEGER NOT NULL,
      at_unix_ms REAL NOT NULL,
      UNIQUE (origin, origin_seq)
    ) STRICT;
CREATE TABLE quarantine (
      place INTEGER PRIMARY KEY,
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      via TEXT NOT NULL,
      reason TEXT NOT NULL,
      content TEXT NOT NULL,
      at_unix_ms REAL NOT NULL,
      UNIQUE (origin, origin_seq, content)
    ) STRICT;
CREATE TABLE federation_state (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
INSERT INTO federation_state VALUES ('caller:rec_GTBfPmmuC7WhBpyVyqwj4', '{"cursor":"","seenAtUnixMs":1795962465160.7786}');
INSERT INTO federation_state VALUES ('generation', 'gen_rYIIwAvFbCu4p-4cEDM5r');
INSERT INTO federation_state VALUES ('peer:pair:clock', '{"engineId":"","clock":{},"seenAtUnixMs":1795962462003.416}');
INSERT INTO federation_state VALUES ('start', '1795962461770');
CREATE TABLE control_events_outbox (
      place INTEGER PRIMARY KEY,
      event_id TEXT NOT NULL UNIQUE,
      event_type TEXT NOT NULL,
      tenant_id TEXT NOT NULL,
      stack_id TEXT NOT NULL,
      version INTEGER NOT NULL,
      base_version INTEGER NOT NULL,
      artifact_ref TEXT,
      checksum TEXT,
      payload TEXT NOT NULL,
      added_at_unix_ms REAL NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      dead INTEGER NOT NULL DEFAULT 0,
      reason TEXT NOT NULL DEFAULT '',
      published_at_unix_ms REAL,
      control_version INTEGER
    ) STRICT;
INSERT INTO control_events_outbox VALUES (1, 'ldr_studio-1_1_1795962463887', 'leadership.began', 'studio-1', 'leadership', 1, 0, NULL, NULL, '{"epoch":1,"leader":"a","fromUnixMs":1795962463887.1907,"cause":"cold-start","by":"automation","reason":"first start","tookMs":2.448558000000048}', 1795962463966.7163, 0, 0, '', 1795962465056.4624, 1);
INSERT INTO control_events_outbox VALUES (2, 'cmd_eng_Ovn9F1iSgzhEkqWWuxljT_1', 'command.accepted', 'studio-1', 'programme', 1, 0, NULL, NULL, '{"epoch":1,"seq":1,"hlc":"01a227b467c10000-eng_Ovn9F1iSgzhEkqWWuxljT","executeAtUs":1795962464232946,"kind":"POST /api/switch/cut","payload":{"source":"cam2"},"origin":"eng_Ovn9F1iSgzhEkqWWuxljT","originSeq":1}', 1795962464194.0798, 0, 0, '', 1795962465093.4446, 2);
INSERT INTO control_events_outbox VALUES (3, 'cmd_eng_Ovn9F1iSgzhEkqWWuxljT_2', 'command.accepted', 'studio-1', 'programme', 2, 1, NULL, NULL, '{"epoch":1,"seq":2,"hlc":"01a227b468420000-eng_Ovn9F1iSgzhEkqWWuxljT","executeAtUs":1795962464362109,"kind":"POST /api/switch/cut","payload":{"source":"cam3"},"origin":"eng_Ovn9F1iSgzhEkqWWuxljT","originSeq":2}', 1795962464322.3274, 0, 0, '', 1795962465138.7798, 4);
INSERT INTO control_events_outbox VALUES (4, 'cmd_eng_Ovn9F1iSgzhEkqWWuxljT_3', 'command.accepted', 'studio-1', 'programme', 3, 2, NULL, NULL, '{"epoch":1,"seq":3,"hlc":"01a227b468600000-eng_Ovn9F1iSgzhEkqWWuxljT","executeAtUs":1795962464392401,"kind":"POST /api/switch/cut","payload":{"source":"cam4"},"origin":"eng_Ovn9F1iSgzhEkqWWuxljT","originSeq":3}', 1795962464352.5784, 0, 0, '', 1795962465138.7798, 5);
INSERT INTO control_events_outbox VALUES (5, 'rec_studio-1_rec_Ovn9F1iSgzhEkqWWuxljT_1', 'record.set', 'studio-1', 'records/rec_Ovn9F1iSgzhEkqWWuxljT', 1, 0, NULL, NULL, '{"entity":"macros","field":"opening","value":"old","hlc":"01a227b468fe0000-eng_Ovn9F1iSgzhEkqWWuxljT","epoch":1,"origin":"rec_Ovn9F1iSgzhEkqWWuxljT","originSeq":1,"clock":{"rec_Ovn9F1iSgzhEkqWWuxljT":1}}', 1795962464511.5208, 0, 0, '', 1795962465111.9539, 3);
INSERT INTO control_events_outbox VALUES (6, 'rec_studio-1_rec_Ovn9F1iSgzhEkqWWuxljT_2', 'record.set', 'studio-1', 'records/rec_Ovn9F1iSgzhEkqWWuxljT', 2, 0, NULL, NULL, '{"entity":"macros","field":"closing","value":{"steps":[1,2,3]},"hlc":"01a227b469be0000-eng_Ovn9F1iSgzhEkqWWuxljT","epoch":1,"origin":"rec_Ovn9F1iSgzhEkqWWuxljT","originSeq":2,"clock":{"rec_Ovn9F1iSgzhEkqWWuxljT":2}}', 1795962464703.2295, 0, 0, '', 1795962465189.9895, 6);
INSERT INTO control_events_outbox VALUES (7, 'rec_studio-1_rec_Ovn9F1iSgzhEkqWWuxljT_3', 'record.set', 'studio-1', 'records/rec_Ovn9F1iSgzhEkqWWuxljT', 3, 0, NULL, NULL, '{"entity":"macros","field":"gone","value":1,"hlc":"01a227b46ac70000-eng_Ovn9F1iSgzhEkqWWuxljT","epoch":1,"origin":"rec_Ovn9F1iSgzhEkqWWuxljT","originSeq":3,"clock":{"rec_Ovn9F1iSgzhEkqWWuxljT":3}}', 1795962464967.435, 0, 0, '', 1795962465189.9895, 7);
INSERT INTO control_events_outbox VALUES (8, 'rec_studio-1_rec_Ovn9F1iSgzhEkqWWuxljT_4', 'record.set', 'studio-1', 'records/rec_Ovn9F1iSgzhEkqWWuxljT', 4, 0, NULL, NULL, '{"entity":"macros","field":"title","value":"Grüße","hlc":"01a227b46aee0000-eng_Ovn9F1iSgzhEkqWWuxljT","epoch":1,"origin":"rec_Ovn9F1iSgzhEkqWWuxljT","originSeq":4,"clock":{"rec_Ovn9F1iSgzhEkqWWuxljT":4}}', 1795962465006.4546, 0, 0, '', 1795962465189.9895, 8);
INSERT INTO control_events_outbox VALUES (9, 'rec_studio-1_rec_Ovn9F1iSgzhEkqWWuxljT_5', 'record.deleted', 'studio-1', 'records/rec_Ovn9F1iSgzhEkqWWuxljT', 5, 0, NULL, NULL, '{"entity":"macros","field":"gone","value":null,"hlc":"01a227b46aff0000-eng_Ovn9F1iSgzhEkqWWuxljT","epoch":1,"origin":"rec_Ovn9F1iSgzhEkqWWuxljT","originSeq":5,"clock":{"rec_Ovn9F1iSgzhEkqWWuxljT":5}}', 1795962465025.144, 0, 0, '', 1795962465189.9895, 9);
INSERT INTO control_events_outbox VALUES (10, 'rec_studio-1_rec_GTBfPmmuC7WhBpyVyqwj4_1', 'record.set', 'studio-1', 'records/rec_GTBfPmmuC7WhBpyVyqwj4', 1, 0, NULL, NULL, '{"entity":"layouts","field":"wide","value":{"boxes":2},"hlc":"01a227b46b6c0000-eng_GTBfPmmuC7WhBpyVyqwj4","epoch":0,"origin":"rec_GTBfPmmuC7WhBpyVyqwj4","originSeq":1,"clock":{"rec_GTBfPmmuC7WhBpyVyqwj4":1}}', 1795962465170.6882, 0, 0, '', 1795962465215.9282, 10);
INSERT INTO control_events_outbox VALUES (11, 'cfl_48d26af4e426b3e63e0c8e079a720318_studio-1_open', 'conflict.open', 'studio-1', 'conflict/cfl_48d26af4e426b3e63e0c8e079a720318', 1, 0, NULL, NULL, '{"id":"cfl_48d26af4e426b3e63e0c8e079a720318","kind":"record","outcome":"open","divergent":{"epoch":1,"origin":"rec_Ovn9F1iSgzhEkqWWuxljT","originSeq":4,"eventId":"rec_studio-1_rec_Ovn9F1iSgzhEkqWWuxljT_4","entity":"macros","field":"title"},"choice":null}', 1795962465171.8455, 0, 0, '', 1795962465218.4448, 12);
INSERT INTO control_events_outbox VALUES (12, 'rec_studio-1_rec_GTBfPmmuC7WhBpyVyqwj4_2', 'record.set', 'studio-1', 'records/rec_GTBfPmmuC7WhBpyVyqwj4', 2, 0, NULL, NULL, '{"entity":"macros","field":"title","value":"by the spoke","hlc":"01a227b46b7a0000-eng_GTBfPmmuC7WhBpyVyqwj4","epoch":0,"origin":"rec_GTBfPmmuC7WhBpyVyqwj4","originSeq":2,"clock":{"rec_GTBfPmmuC7WhBpyVyqwj4":2}}', 1795962465171.8945, 0, 0, '', 1795962465215.9282, 11);
INSERT INTO control_events_outbox VALUES (13, 'rec_studio-1_rec_Ovn9F1iSgzhEkqWWuxljT_6', 'record.set', 'studio-1', 'records/rec_Ovn9F1iSgzhEkqWWuxljT', 6, 0, NULL, NULL, '{"entity":"layouts","field":"narrow","value":{"boxes":1},"hlc":"01a227b46b9d0000-eng_Ovn9F1iSgzhEkqWWuxljT","epoch":1,"origin":"rec_Ovn9F1iSgzhEkqWWuxljT","originSeq":6,"clock":{"rec_Ovn9F1iSgzhEkqWWuxljT":6,"rec_GTBfPmmuC7WhBpyVyqwj4":2}}', 1795962465181.9202, 0, 0, '', 1795962465221.1494, 13);
CREATE TABLE outbox_marks (
      stack_id TEXT PRIMARY KEY,
      version INTEGER NOT NULL,
      event_id TEXT NOT NULL,
      control_version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
INSERT INTO outbox_marks VALUES ('conflict/cfl_48d26af4e426b3e63e0c8e079a720318', 1, 'cfl_48d26af4e426b3e63e0c8e079a720318_studio-1_open', 12);
INSERT INTO outbox_marks VALUES ('leadership', 1, 'ldr_studio-1_1_1795962463887', 1);
INSERT INTO outbox_marks VALUES ('programme', 3, 'cmd_eng_Ovn9F1iSgzhEkqWWuxljT_3', 5);
INSERT INTO outbox_marks VALUES ('records/rec_GTBfPmmuC7WhBpyVyqwj4', 2, 'rec_studio-1_rec_GTBfPmmuC7WhBpyVyqwj4_2', 11);
INSERT INTO outbox_marks VALUES ('records/rec_Ovn9F1iSgzhEkqWWuxljT', 6, 'rec_studio-1_rec_Ovn9F1iSgzhEkqWWuxljT_6', 13);
CREATE TABLE ops (
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      hlc TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      seq INTEGER,
      kind TEXT NOT NULL,
      entity TEXT,
      field TEXT,
      payload TEXT NOT NULL,
      clock TEXT NOT NULL,
      checksum TEXT,
      execute_at_us INTEGER,
      idempotency_key TEXT,
      arrival TEXT,
      via TEXT,
      signature TEXT,
      PRIMARY KEY (origin, origin_seq)
    ) STRICT;
INSERT INTO ops VALUES ('eng_Ovn9F1iSgzhEkqWWuxljT', 1, '01a227b467c10000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, 1, 'POST /api/switch/cut', NULL, NULL, '{"source":"cam2"}', '{"eng_Ovn9F1iSgzhEkqWWuxljT":1}', NULL, 1795962464232946, 'key-1', NULL, NULL, NULL);
INSERT INTO ops VALUES ('eng_Ovn9F1iSgzhEkqWWuxljT', 2, '01a227b468420000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, 2, 'POST /api/switch/cut', NULL, NULL, '{"source":"cam3"}', '{"eng_Ovn9F1iSgzhEkqWWuxljT":2}', NULL, 1795962464362109, NULL, NULL, NULL, NULL);
INSERT INTO ops VALUES ('eng_Ovn9F1iSgzhEkqWWuxljT', 3, '01a227b468600000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, 3, 'POST /api/switch/cut', NULL, NULL, '{"source":"cam4"}', '{"eng_Ovn9F1iSgzhEkqWWuxljT":3}', NULL, 1795962464392401, NULL, NULL, NULL, NULL);
INSERT INTO ops VALUES ('rec_Ovn9F1iSgzhEkqWWuxljT', 1, '01a227b468fe0000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, NULL, 'set', 'macros', 'opening', '"old"', '{"rec_Ovn9F1iSgzhEkqWWuxljT":1}', '8151608ffbba9a2dc413e649c6524f8661e11c8b35b9c5cb4da84dec76f34277', NULL, NULL, '01a227b468ff0000-eng_Ovn9F1iSgzhEkqWWuxljT', '', NULL);
INSERT INTO ops VALUES ('rec_Ovn9F1iSgzhEkqWWuxljT', 2, '01a227b469be0000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, NULL, 'set', 'macros', 'closing', '{"steps":[1,2,3]}', '{"rec_Ovn9F1iSgzhEkqWWuxljT":2}', '0ecc2cda5f5d4ba11ad853e7eb072fe48d9f0c591a715dc4b80d1879d2da4b43', NULL, NULL, '01a227b469bf0000-eng_Ovn9F1iSgzhEkqWWuxljT', '', NULL);
INSERT INTO ops VALUES ('rec_Ovn9F1iSgzhEkqWWuxljT', 3, '01a227b46ac70000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, NULL, 'set', 'macros', 'gone', '1', '{"rec_Ovn9F1iSgzhEkqWWuxljT":3}', '1fc6c176517a6fdfde26fab1424bf7f7954dd3f6be203cf12ae42c3416402cdf', NULL, NULL, '01a227b46ac70001-eng_Ovn9F1iSgzhEkqWWuxljT', '', NULL);
INSERT INTO ops VALUES ('rec_Ovn9F1iSgzhEkqWWuxljT', 4, '01a227b46aee0000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, NULL, 'set', 'macros', 'title', '"Grüße"', '{"rec_Ovn9F1iSgzhEkqWWuxljT":4}', '48d26af4e426b3e63e0c8e079a7203185281f1a5d1e5951455583c82b66698b6', NULL, NULL, '01a227b46aee0001-eng_Ovn9F1iSgzhEkqWWuxljT', '', NULL);
INSERT INTO ops VALUES ('rec_Ovn9F1iSgzhEkqWWuxljT', 5, '01a227b46aff0000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, NULL, 'delete', 'macros', 'gone', 'null', '{"rec_Ovn9F1iSgzhEkqWWuxljT":5}', 'b1ba904251bb41ee0338feaed8e961c4ef6fc9618192fb94efaa039221d22315', NULL, NULL, '01a227b46aff0001-eng_Ovn9F1iSgzhEkqWWuxljT', '', NULL);
INSERT INTO ops VALUES ('rec_GTBfPmmuC7WhBpyVyqwj4', 1, '01a227b46b6c0000-eng_GTBfPmmuC7WhBpyVyqwj4', 0, NULL, 'set', 'layouts', 'wide', '{"boxes":2}', '{"rec_GTBfPmmuC7WhBpyVyqwj4":1}', '6b3ac57c6abba4b7fbb808caf843f797a5da0f24e8890fad9ecc77d769243f09', NULL, NULL, '01a227b46b920001-eng_Ovn9F1iSgzhEkqWWuxljT', 'rec_GTBfPmmuC7WhBpyVyqwj4', NULL);
INSERT INTO ops VALUES ('rec_GTBfPmmuC7WhBpyVyqwj4', 2, '01a227b46b7a0000-eng_GTBfPmmuC7WhBpyVyqwj4', 0, NULL, 'set', 'macros', 'title', '"by the spoke"', '{"rec_GTBfPmmuC7WhBpyVyqwj4":2}', '569e76047cbd11ea9b95ab8942891d8b23331307d5862edc6f89963490c7c8ec', NULL, NULL, '01a227b46b920003-eng_Ovn9F1iSgzhEkqWWuxljT', 'rec_GTBfPmmuC7WhBpyVyqwj4', NULL);
INSERT INTO ops VALUES ('rec_Ovn9F1iSgzhEkqWWuxljT', 6, '01a227b46b9d0000-eng_Ovn9F1iSgzhEkqWWuxljT', 1, NULL, 'set', 'layouts', 'narrow', '{"boxes":1}', '{"rec_Ovn9F1iSgzhEkqWWuxljT":6,"rec_GTBfPmmuC7WhBpyVyqwj4":2}', '028519dcb8d264256641482366ec78e94218e4e4756aac4eb268c536fca11c9f', NULL, NULL, '01a227b46b9d0001-eng_Ovn9F1iSgzhEkqWWuxljT', '', NULL);
CREATE INDEX keys_by_seq ON keys (seq);
CREATE INDEX conflicts_open_first ON conflicts (open, place);
CREATE INDEX outbox_waiting ON control_events_outbox (stack_id, version) WHERE published_at_unix_ms IS NULL;
CREATE INDEX outbox_published ON control_events_outbox (published_at_unix_ms)
      WHERE published_at_unix_ms IS NOT NULL;
CREATE INDEX outbox_dead ON control_events_outbox (place) WHERE dead = 1;
CREATE UNIQUE INDEX ops_by_seq ON ops (seq) WHERE seq IS NOT NULL;
CREATE UNIQUE INDEX ops_by_arrival ON ops (arrival) WHERE arrival IS NOT NULL;
PRAGMA user_version = 6;
