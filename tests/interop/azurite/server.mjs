// A server that plays Azure Blob Storage and checks signatures, with the container `decisions`.
//
// Says where it is in one line of JSON. Each line that it reads is a prefix and is answered with the objects whose names
// begin so, in one line of JSON. Ends when there is nothing left to read.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { BlobServiceClient } from "@azure/storage-blob";

const options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"];
const server = spawn(process.execPath, ["node_modules/.bin/azurite-blob", ...options], {
  stdio: ["ignore", "pipe", "inherit"],
});
process.on("exit", () => server.kill());

const url = await new Promise((resolve, reject) => {
  let said = "";
  server.stdout.on("data", (chunk) => {
    said += chunk;
    const found = said.match(/successfully listen(?:s|ing) on (http:\S+)/) ?? said.match(/listening at (http:\S+)/);
    if (found) resolve(found[1]);
  });
  server.on("exit", () => reject(new Error(said)));
});

// The account that every such server has, and that everyone knows.
const account = "devstoreaccount1";
const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const text = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${url}/${account};`;
const container = BlobServiceClient.fromConnectionString(text).getContainerClient("decisions");
await container.create();
console.log(JSON.stringify({ url, account, key }));

for await (const prefix of createInterface({ input: process.stdin })) {
  const found = {};
  for await (const blob of container.listBlobsFlat({ prefix })) {
    found[blob.name] = (await container.getBlobClient(blob.name).downloadToBuffer()).toString("base64");
  }
  console.log(JSON.stringify(found));
}
process.exit(0);
