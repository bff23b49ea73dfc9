/** For the compiler only: the SDK as it is fits what the S3 storage asks for. */
import * as sdk from "@aws-sdk/client-s3";
import { S3Client } from "@aws-sdk/client-s3";
import { s3Storage } from "../../adapters/s3/mod.ts";
import type { Storage } from "../../mod.ts";

const client: S3Client = new S3Client({ maxAttempts: 1 });
export const handedIn: Storage = s3Storage({ bucket: "app", client, sdk });
export const later: Storage = s3Storage({ bucket: "app", sdk: import("@aws-sdk/client-s3") });

// @ts-expect-error: a client can send.
s3Storage({ bucket: "app", client: {} });
