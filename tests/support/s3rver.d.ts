// What the tests use of it; the package brings no types.
declare module '@20minutes/s3rver' {
  import type { RequestListener } from 'node:http';

  export default class S3rver {
    constructor(options: {
      directory: string;
      silent: boolean;
      /** Without it the bucket is a part of the path only. */
      vhostBuckets: boolean;
      configureBuckets: { name: string }[];
    });
    readonly middleware: ((
      context: { path: string; mountPath: string; state: { vhost: boolean } },
      next: () => Promise<void>,
    ) => Promise<void>)[];
    readonly store: { deleteObject(bucket: string, key: string): Promise<void> };
    configureBuckets(): Promise<unknown>;
    callback(): RequestListener;
  }
}
