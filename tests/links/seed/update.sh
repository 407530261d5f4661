curl -XPUT 'https://api2.branch.io/v1/url?url=https%3A%2F%2Fexample.app.link%2F5IULiLcpqF' -H "Content-Type: application/json" \
-d '{
"branch_key": "YOUR_BRANCH_KEY",
"branch_secret": "YOUR_BRANCH_SECRET",
"channel": "twitter",
"data":{
"name":"alex",
"user_id":"12346"
}
}'
