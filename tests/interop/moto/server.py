"""A bucket, and who may read it, in a server that plays AWS and checks signatures.

Says where it is and which keys there are in one line of JSON. Each line that it reads is the path of a file, which
becomes the object `authz.tar.gz`; the answer is an empty line. A line `? PREFIX` is answered with the objects whose names
begin so, in one line of JSON. Ends when there is nothing left to read.
"""

import base64
import json
import sys

import boto3
from moto import settings
from moto.server import ThreadedMotoServer
from moto.sts.responses import TokenResponse

REGION = "eu-west-1"
ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})

check = TokenResponse._authenticate_and_authorize_normal_action


def check_if_signed(self, resource="*"):
    """AWS wants no signature where a token vouches; moto does."""
    if self._get_action() != "AssumeRoleWithWebIdentity":
        check(self, resource)


TokenResponse._authenticate_and_authorize_normal_action = check_if_signed

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
url = "http://%s:%d" % server.get_host_and_port()


def client(name, key="setup", secret="setup"):
    return boto3.client(
        name, endpoint_url=url, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret
    )


iam = client("iam")
iam.create_user(UserName="agent")
iam.put_user_policy(UserName="agent", PolicyName="all", PolicyDocument=ALL)
key = iam.create_access_key(UserName="agent")["AccessKey"]
role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=ALL)["Role"]["Arn"]
iam.put_role_policy(RoleName="reader", PolicyName="all", PolicyDocument=ALL)
client("s3").create_bucket(Bucket="policies", CreateBucketConfiguration={"LocationConstraint": REGION})

# From now on every request needs a signature that is right.
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
bucket = client("s3", key["AccessKeyId"], key["SecretAccessKey"])
answer = {"url": url, "key": key["AccessKeyId"], "secret": key["SecretAccessKey"], "role": role}
print(json.dumps(answer), flush=True)
for line in sys.stdin:
    if line.startswith("? "):
        found = bucket.list_objects_v2(Bucket="policies", Prefix=line[2:].rstrip("\n")).get("Contents", [])
        bodies = {each["Key"]: bucket.get_object(Bucket="policies", Key=each["Key"])["Body"].read() for each in found}
        print(json.dumps({key: base64.b64encode(body).decode() for key, body in bodies.items()}), flush=True)
        continue
    with open(line.rstrip("\n"), "rb") as file:
        bucket.put_object(Bucket="policies", Key="authz.tar.gz", Body=file.read())
    print(flush=True)
server.stop()
