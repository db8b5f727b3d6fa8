import { defineDetector, type Detector } from "../../src/detectors/detector.ts";
import { createTracker, type Tracker } from "../../src/findings/tracker.ts";
import type { Verdict } from "../../src/findings/verdict.ts";
import type { FindingChange, Symptom } from "../../src/model/finding.ts";
import type { HistoryMark } from "../../src/model/history.ts";
import type { CodeSettings, Ignore, Settings } from "../../src/model/settings.ts";
import type { TargetSnapshot } from "../../src/model/snapshot.ts";
import type { Target } from "../../src/model/target.ts";
