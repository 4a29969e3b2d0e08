-- What the sample customers have at Razorpay, Google and the exchange, in good order. Run after people.sql.
UPDATE customers SET razorpay_customer_id = CASE id WHEN md5('customer meera')::uuid THEN 'cust_meera0000001'
                                                    ELSE 'cust_ravi00000001' END
WHERE id IN (md5('customer meera')::uuid, md5('customer ravi')::uuid);
UPDATE payments SET razorpay_order_id = 'order_' || substr(razorpay_payment_id, 5)
WHERE customer_id IN (md5('customer meera')::uuid, md5('customer ravi')::uuid);
UPDATE subscriptions s SET payment_id = p.id FROM payments p
WHERE p.subscription_id = s.id AND s.customer_id IN (md5('customer meera')::uuid, md5('customer ravi')::uuid);
DELETE FROM youtube_projects WHERE customer_id IS NOT NULL;
