/** For the compiler only: the API as it is fits what the adapter asks for. */
import * as api from "@opentelemetry/api";
import { otelTelemetry } from "../../adapters/otel/mod.ts";
import type { Telemetry } from "../../mod.ts";

export const telemetry: Telemetry = otelTelemetry({ api });

// @ts-expect-error: the module has to be handed in.
otelTelemetry({});
// @ts-expect-error: there are three ways.
otelTelemetry({ api, storageSpans: "some" });
