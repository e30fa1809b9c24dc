import os
import sys

from flask import Flask

app = Flask(__name__)


@app.get("/")
def who():
    return "served by %d in %s\n" % (os.getuid(), os.getcwd())


app.run(host="0.0.0.0", port=int(sys.argv[1]))
