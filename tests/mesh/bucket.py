"""bucket.py - an S3 server for a mesh, and what lies in its bucket."""
import os
import subprocess

import boto3
from botocore.client import Config

from common import TOP


class Bucket:
    """Debian's Swift with its S3 interface, which checks signatures; its port is said."""
    NAME, KEY, SECRET, REGION = "files", "test:tester", "testing", "eu-north-1"

    def __init__(self):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-B", os.path.join(TOP, "services/media/store/test_swift.py"), self.NAME,
             self.KEY, self.SECRET, self.REGION], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def settings(self):
        return {"TRELLIS_MEDIA_STORE": "s3", "TRELLIS_S3_URL": self.url, "TRELLIS_S3_BUCKET": self.NAME,
                "TRELLIS_S3_REGION": self.REGION, "TRELLIS_S3_KEY_ID": self.KEY, "TRELLIS_S3_SECRET": self.SECRET}

    def objects(self):
        """Sizes by key, by Amazon's own client; but for the one that says whose bucket it is."""
        client = boto3.client("s3", endpoint_url=self.url, aws_access_key_id=self.KEY, region_name=self.REGION,
                              aws_secret_access_key=self.SECRET,
                              config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
        return {one["Key"]: one["Size"] for page in client.get_paginator("list_objects_v2").paginate(Bucket=self.NAME)
                for one in page.get("Contents", []) if one["Key"] != "trellis-media"}

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
